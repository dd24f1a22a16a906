"""The command line: `python -m collector.run [COMMAND]`; with no command it runs `stress`.

Exit status: 0 all held, 1 a violation was found (throw, lost object, leak, hang), 2 bad usage, unreadable input or an output
that cannot be written (one line says what and where), 130 interrupted by Ctrl-C or SIGTERM (what there is so far has been
printed and written).

Theory of operation.  Only the command that was chosen is imported, where Ctrl-C is expected.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from collector.commands import COMMANDS, load
from collector.stress.interrupts import Interrupts


if TYPE_CHECKING:
    from collections.abc import Sequence

OK, VIOLATION, USAGE, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with status 2."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    try:
        return command(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it, not even by the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def command(words: list[str]) -> int:
    """Find the command that the words mean, and run it."""
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help") and words[0].startswith("-")):
        words.insert(0, "stress")
    top = Parser(prog="python -m collector.run", description=summary(__doc__), allow_abbrev=False)
    commands = top.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name == words[0]:
            with Interrupts() as interrupts:
                chosen = load(name)
            interrupts.check()
            chosen.add_arguments(sub)
    args = top.parse_args(words)
    try:
        status: int = chosen.main(args)
        sys.stdout.flush()
    except Exception as error:
        if not isinstance(error, one_line_errors()):
            raise
        print(f"collector.run {args.command}: {error}", file=sys.stderr)
        return USAGE
    return status


def one_line_errors() -> tuple[type[Exception], ...]:
    """Errors whose text is all that a user needs: bad usage, unreadable input, an output that cannot be written."""
    from collector.commands.usage import UsageError  # noqa: PLC0415  imported where one of them may have been raised
    from collector.heaps.errors import HeapError  # noqa: PLC0415
    from collector.report.log.writer import LogError  # noqa: PLC0415

    return UsageError, HeapError, LogError


def summary(docstring: str | None) -> str:
    """Its first line."""
    return (docstring or "").partition("\n")[0]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ended = main()
    # All is said and written; a further Ctrl-C would only spoil the status.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(ended)
