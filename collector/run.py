"""The command line: `python -m collector.run [COMMAND]`; with no command it runs `stress`.

`python -m collector` and, where the package is installed, `workbuf` are the same.

Exit status: 0 all held, 1 a violation was found (throw, lost object, leak, hang), 2 bad usage, unreadable input, an output
that cannot be written, a scenario that breaks a rule of the machine, or a system that lacks something (one line says what
and where), 3 less was shown than --require asks for, 70 a fault of this program itself (what to report is printed), 130
interrupted by Ctrl-C or SIGTERM (what there is so far has been printed and written).

Only the chosen command is imported.  An exception that a command does not catch ends here, as one line.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from collector.commands import early


if __name__ == "__main__":
    early.watch()  # what follows takes a tenth of a second and more

from collector.commands import COMMANDS, files, load
from collector.commands.parser import LESS, PROGRAM, RUN, Parser, closing, complete, line, meant
from collector.commands.status import BUG, INTERRUPTED, OK, USAGE, VIOLATION
from collector.report.streams import STDERR, Streams, oneline
from collector.stress.interrupts import Interrupts


if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = {
    "": "mark this interpreter's own heap with real threads, about ten seconds",
    "explore aba": "find the schedule of a known bug, shrink it, print it",
    "guide": "the pages to read",
    "explore --help": "options, examples and exit statuses of a command",
}
ENDS = {VIOLATION: "a fault was found: a throw, a lost object, a leak, a hang, a schedule that fails", **LESS}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    with Streams() as streams:
        if not faulthandler.is_enabled():
            with suppress(ValueError, OSError):
                faulthandler.enable(STDERR)
        try:
            status = command(list(words))
            sys.stdout.flush()
        except SystemExit as left:  # of --help, or of bad usage, which has been said
            sys.stdout.flush()
            if left.code or not streams.out.failed:
                raise
            status = OK
        except KeyboardInterrupt:
            print(f"{PROGRAM}: interrupted", file=sys.stderr)
            status = INTERRUPTED
        except (OSError, MemoryError) as error:
            print(f"{PROGRAM}: {environment(error)}", file=sys.stderr)
            status = USAGE
        except Exception as error:  # noqa: BLE001  the last one there is
            if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
                print(f"{PROGRAM}: the system starts no more threads (ulimit -u)", file=sys.stderr)
                return USAGE
            print(report(error, words), file=sys.stderr)
            status = BUG
        if streams.out.failed:
            print(f"{PROGRAM}: stdout: cannot write: {streams.out.failed}", file=sys.stderr)
            status = status or USAGE
    return status


def command(words: list[str]) -> int:
    """Find the command that the words mean, and run it."""
    for name in [name for name in os.environ if name.startswith("LOGURU_")]:
        del os.environ[name]  # loguru is told all that it needs; a wrong one would be an error when it is imported
    bare = not words or (
        words[0] not in COMMANDS and words[0] not in ("-h", "--help", "--version") and words[0].startswith("-")
    )
    if bare:
        words.insert(0, "stress")
    named = line() or words[:1]
    parsers: dict[str, Parser] = {}
    top = Parser(prog=RUN, description=summary(__doc__), allow_abbrev=False)
    top.closing = closing(EXAMPLES, ENDS)
    top.add_argument("--version", action="store_true", help="print the version, and which Python this is")
    commands = top.add_subparsers(metavar="COMMAND", dest="command")
    for name, text in COMMANDS.items():
        parsers[name] = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name in named:
            prepare(parsers[name], name)
    complete(top)
    if words[0] not in COMMANDS:
        return general(top, words)
    parsers[words[0]].beside = ("--version",) if bare else ()
    args = parsers[words[0]].parsed(words[1:])
    args.command = words[0]
    if not __debug__:
        from collector.explore.claim import UNCHECKED  # noqa: PLC0415  slow, and seldom wanted

        print(f"{PROGRAM} {args.command}: {UNCHECKED}", file=sys.stderr)
        return USAGE
    try:
        files.check(args)
        with files.aside(args):
            status: int = load(args.command).main(args)
    except Exception as error:
        if not isinstance(error, one_line_errors()):
            raise
        print(f"{PROGRAM} {args.command}: {oneline(str(error))}", file=sys.stderr)
        return USAGE
    return status or (USAGE if files.unwritten(args) else OK)


def prepare(parser: Parser, name: str) -> None:
    """Import the command of that name and give the parser its options."""
    with Interrupts() as interrupts:
        chosen = load(name)
    interrupts.check()
    chosen.add_arguments(parser)
    parser.closing = closing(chosen.EXAMPLES, chosen.ENDS)


def general(top: Parser, words: Sequence[str]) -> int:
    """What is asked without a command: the help, the version; or the word is none that is known."""
    if not words[0].startswith("-"):
        top.error(f"no command {words[0]!r}{meant(words[0], COMMANDS)}; there are {', '.join(COMMANDS)}")
    top.parse_args(words)
    import platform  # noqa: PLC0415  slow

    from collector.commands.version import code_version  # noqa: PLC0415  it reads every source

    print(f"workbuf-model {code_version()}, {platform.python_implementation()} {platform.python_version()}")
    return OK


def one_line_errors() -> tuple[type[Exception], ...]:
    """Errors whose text is all that a user needs: bad usage, unreadable input, an output that cannot be written."""
    from collector.commands.usage import UsageError  # noqa: PLC0415  imported where one of them may have been raised
    from collector.heaps.errors import HeapError  # noqa: PLC0415
    from collector.report.log.writer import LogError  # noqa: PLC0415
    from workbuf.hardware.limits import Shortage  # noqa: PLC0415

    return UsageError, HeapError, LogError, Shortage


def environment(error: OSError | MemoryError) -> str:
    """What the system lacks or refuses, in a line."""
    if isinstance(error, MemoryError):
        return oneline(
            f"out of memory: {error}" if str(error) else "out of memory: take a smaller heap or a shorter run"
        )
    where = f"{error.filename}: " if error.filename else ""
    return oneline(f"{where}{error.strerror or error}")


def report(error: Exception, words: Sequence[str]) -> str:
    """What to print when this program itself has failed, for a bug report."""
    import platform  # noqa: PLC0415  slow, and seldom wanted
    import shlex  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    return "\n".join(
        (
            f"{PROGRAM}: a fault of this program, not of what it was given: {oneline(repr(error))}",
            "please report it, with the lines that follow and the files that the command names",
            f"command: {oneline(shlex.join(['python', '-m', 'collector.run', *words]))}",
            f"python {sys.version.split()[0]}, {platform.platform()}",
            "".join(traceback.format_exception(error)).rstrip(),
        )
    )


def summary(docstring: str | None) -> str:
    """Its first line."""
    return (docstring or "").partition("\n")[0]


def program() -> NoReturn:
    """The command line as a program of its own; exits with its status."""
    early.over()
    ended = main()
    # Everything has been written: a further Ctrl-C must not change the exit status.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.freeze()  # or the interpreter would look for garbage twice in all that it is about to leave behind
    sys.exit(ended)


if __name__ == "__main__":
    program()
