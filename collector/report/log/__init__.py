"""A run's log: written as JSON lines, found in its parts, read into a database, asked."""
