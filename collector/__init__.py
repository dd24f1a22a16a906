"""The garbage collector (phases, roots, marking, termination), and the tools that run, audit, explore and report on it."""

__version__ = "0.1.0"
