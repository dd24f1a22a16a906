"""The state of a schedule: memory and what threads keep in Python, so that a state can be recognised when it comes again."""
