"""The command line as `python -m collector`; the same as `python -m collector.run`."""

from collector.run import program


program()
