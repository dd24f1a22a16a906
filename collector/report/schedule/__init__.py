"""The reports on a replayed schedule: its steps as JSON, the owners of each buffer, an explanation in sentences."""
