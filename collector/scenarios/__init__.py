"""Known bugs and planted faults, each with a variant that fails and one that does not, for the stepped machine.

To add one, write a file here with a module-level `SCENARIO` (scenario.py), name it in `registry.py` and write the table of
contents anew (`python -m scripts.contents`); the command line, the tests, the explorer and the museum then know it.
"""
