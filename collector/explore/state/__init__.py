"""State capture: a program's state (memory, threads, Python objects) as a digest, so that a repeated state is recognised."""
