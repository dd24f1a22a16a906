"""Known bugs and planted faults, each with a variant that fails and one that does not, for the stepped machine.

To add one, write a file here with a module-level `SCENARIO` (scenario.py) and name it in `registry.py`; the command line,
the tests and the explorer then know it.
"""
