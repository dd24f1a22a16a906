"""The command line as `python -m collector`; the same as `python -m collector.run`."""

from collector.commands import early


early.watch()

from collector.run import program  # noqa: E402  a Ctrl-C may come while it is imported


program()
