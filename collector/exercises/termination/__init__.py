"""The exercise `termination`: a pool of work that says when all is done."""
