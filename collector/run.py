"""The command line: `python -m collector.run [COMMAND]`; with no command it runs `stress`.

Exit status: 0 all held, 1 a violation was found (throw, lost object, leak, hang), 2 bad usage or unreadable input (one
line says what and where), 130 interrupted (what there is so far has been printed).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from collector.commands import COMMANDS
from collector.commands.usage import UsageError
from collector.heaps.errors import HeapError
from collector.report.log import LogError


if TYPE_CHECKING:
    from collections.abc import Sequence

OK, VIOLATION, USAGE, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with status 2."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(prog="python -m collector.run", description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = top.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, module in COMMANDS.items():
        text = (module.__doc__ or "").splitlines()[0]
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        module.add_arguments(sub)
        sub.set_defaults(main=module.main)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help") and words[0].startswith("-")):
        words.insert(0, "stress")
    args = parser().parse_args(words)
    try:
        status: int = args.main(args)
        sys.stdout.flush()
    except (UsageError, HeapError, LogError) as error:
        print(f"collector.run {args.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it, not even by the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return status


if __name__ == "__main__":
    sys.exit(main())
