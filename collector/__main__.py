"""The command line as `python -m collector`, and as `workbuf` where the package is installed; it is `collector.run`'s."""

from collector.commands import early


early.watch()

from collector.run import program  # noqa: E402  a Ctrl-C may come while it is imported


if __name__ == "__main__":
    program()
