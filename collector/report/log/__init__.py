"""The log of a run: written as JSON lines, rotated into parts, read into a database, queried."""
