"""The recorded events of a run, judged after it: what they say must be a course that the protocol allows."""
