"""The exercise `cache`: one slot, two takers."""
