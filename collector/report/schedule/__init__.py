"""The reports of a replayed schedule: steps, owners, sentences."""
