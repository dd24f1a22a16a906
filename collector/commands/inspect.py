"""Query a log: a buffer's life, a thread's events, a cycle, contention, buffers held for long, or any SQL.

inspect LOG                       summary
inspect LOG wbuf 17               every owner of a buffer, when, and how it came and went
inspect LOG m 3                   the events of a thread, by number or name
inspect LOG cycle 4               the course of a cycle
inspect LOG contention            where threads met
inspect LOG who-held 500us        buffers held for longer than that
inspect LOG violations            what failed, and what came before
inspect LOG check                 whether the events can be those of a correct run: owners, lists, barrier, harvests, stops
inspect LOG tables                the tables that --sql sees, and what each kind of event says
inspect RESULTS                   likewise of what `campaign` has done: summary, violations, tables, --sql
inspect LOG --against LOG2        two runs side by side: pauses, stopped share, contention, list operations
"""

from __future__ import annotations

import argparse
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.commands.files import Input, Output, apart
from collector.commands.inspectcheck import check
from collector.commands.inspectresults import inspect, results
from collector.commands.parser import oneof
from collector.commands.status import OK, VIOLATION
from collector.commands.usage import UsageError, atleast, given
from collector.report.log import database as logfile
from collector.report.log import queries
from collector.report.log.comparison import change, figures
from collector.report.log.database import Logfile
from collector.report.log.kinds import kinds
from collector.report.log.lines import LogfileError
from collector.report.log.queries import Filters
from collector.report.log.sql import SECONDS, SqlError, select
from collector.report.progress import Progress
from collector.report.streams import oneline
from collector.report.tables import table


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = {
    "stress --heap synthetic:random,n=500 --cycles 2 --log run.log": "writes a log",
    "inspect run.log": "what happened",
    "inspect run.log wbuf 3": "a buffer's life",
    "inspect run.log check": "is it the log of a correct run?",
    "inspect run.log --against other.log --from 1s": "two runs side by side, without their first second",
    "inspect run.log who-held 100us --m gc": "what the collector held for longer",
    'inspect run.log --sql "SELECT event, COUNT(*) FROM events GROUP BY event"': "",
}
ENDS = {
    OK: "the question is answered, also of a run that failed",
    VIOLATION: "with check: the events cannot be those of a correct run",
}
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
QUESTIONS = ("summary", "wbuf", "m", "cycle", "contention", "who-held", "violations", "check", "tables")
ARGUMENT = {
    "wbuf": "a buffer's number",
    "m": "a thread",
    "cycle": "a cycle's number",
    "who-held": "a duration, say 500us",
}
MOST_NS = (1 << 63) - 1
"""SQLite's largest number; as a time, three hundred years."""
MOST_ROWS = MOST_NS - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `inspect`."""
    add = parser.add_argument
    add("log", type=Input, metavar="LOG", help="a file that `stress --log` wrote, or `campaign`")
    add(
        "question",
        nargs="?",
        default="summary",
        type=oneof(QUESTIONS),
        choices=QUESTIONS,
        metavar="QUESTION",
        help=", ".join(QUESTIONS),
    )
    add("what", nargs="?", metavar="WHAT", help="the buffer, thread, cycle or duration asked for")
    add("--from", dest="since", type=nanoseconds, metavar="TIME", help="leave out what was before, say 1.5s or 20ms")
    add("--to", dest="until", type=nanoseconds, metavar="TIME", help="leave out what came after")
    add("--m", type=given, metavar="M", help="only this thread, by number or name")
    add("--buffer", type=given, metavar="N", help="only this buffer")
    add("--entry", type=atleast(0, MOST_NS), metavar="N", help="only this entry number")
    add("--most", type=atleast(1, MOST_ROWS), default=queries.MOST, metavar="N", help=f"rows at most ({queries.MOST})")
    add(
        "--against",
        dest="other_log",
        type=Input,
        metavar="LOG",
        help="the figures of the two logs side by side; --from and --to cut both",
    )
    add("--sql", type=given, metavar="SELECT", help=f"ask the tables yourself; read only, {SECONDS:g} s at most")
    add("--json", type=Output, metavar="FILE", help="write the answer; - is standard output")


def nanoseconds(text: str) -> int:
    """An argparse type: `1.5s`, `20ms`, `500us` or `300ns` as ns."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)(ns|us|ms|s)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}: a number and a unit, say 1.5s, 20ms, 500us or 300ns")
    time = float(match[1]) * UNITS[match[2]]
    if time > MOST_NS:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}: longer than three hundred years")
    return min(int(time), MOST_NS)


def cyclenumber(word: str) -> int:
    """An argparse type: the number of a cycle."""
    if not re.fullmatch("[0-9]{1,18}", word):
        raise argparse.ArgumentTypeError(f"{word[:80]!r}: a number")
    return int(word)


def main(args: argparse.Namespace) -> int:
    """Load, ask, print; returns the exit status."""
    if results(args.log):
        inspect(args)
        return OK
    what = asked(args)
    if args.question == "tables" and not args.sql:
        print((logfile.__doc__ or "").partition("Theory of operation")[0].partition("\n\n")[2].rstrip())
        print(f"\n{kinds()}")
        return OK
    if args.question == "check":
        return check(args)
    if args.other_log is not None:
        sidebyside(args)
        return OK
    with opened(args.log, args.json) as log:
        head, rows = ask(log, args, what)
    # A failure is told whole.
    rows, left = (rows, []) if args.question == "violations" else (rows[: args.most], rows[args.most :])
    print(table([tuple("" if cell is None else str(cell) for cell in row) for row in rows], head if any(head) else ()))
    if not rows:
        print("(none)")
    if left:
        print(f"(the first {args.most} rows; --most N for more)")
    if log.about.torn:
        print(f"(line {log.about.torn}, the last, is torn: the run was killed, or writes it just now; it is left out)")
    for line in log.about.missing:
        print(f"({oneline(line)})")
    if log.kept:
        print(f"(kept as {log.kept}: the next question is answered at once)")
    if args.json:
        args.json.writejson(
            {
                "columns": list(head),
                "rows": [list(row) for row in rows],
                "torn": log.about.torn,
                "missing": log.about.missing,
            }
        )
    return OK


@contextmanager
def opened(path: str, json: Output | None) -> Iterator[Logfile]:
    """The log, for the block; raises UsageError if it cannot be read or `json` is one of its files."""
    with Progress(f"reading {path}"):
        try:
            log = Logfile.open(path)
        except LogfileError as error:
            raise UsageError(str(error)) from None
    with log:
        if json:
            apart({"--json": json}, "a file of the log", log.files)
        yield log


def sidebyside(args: argparse.Namespace) -> None:
    """Print the figures of two logs; raises UsageError."""
    if args.question != "summary" or args.sql or args.m or args.buffer or args.entry is not None:
        raise UsageError("--against: it compares whole runs; of the other options it takes --from, --to and --json")
    filters = Filters(since=args.since, until=args.until)
    found = []
    for path in (args.log, args.other_log):
        with opened(path, args.json) as log:
            found.append(figures(log, filters))
        if not found[-1]:
            cut = args.since is not None or args.until is not None
            raise UsageError(
                f"{'--from, --to: ' if cut else ''}{path} has no event{' there' if cut else ' to compare'}"
            )
    rows = [(one.name, str(one), str(other), change(one, other)) for one, other in zip(*found, strict=True)]
    names = [Path(args.log).name, Path(args.other_log).name]
    print(table(rows, ("", *(names if len(set(names)) > 1 else (args.log, args.other_log)), "")))
    if args.json:
        values = {one.name: [one.value, other.value] for one, other in zip(*found, strict=True)}
        args.json.writejson({"logs": [args.log, args.other_log], "figures": values})


def asked(args: argparse.Namespace) -> Any:  # noqa: ANN401  a duration, a number or a name
    """What the question is about, before the log is read; raises UsageError."""
    if args.since is not None and args.until is not None and args.since > args.until:
        raise UsageError("--from is later than --to: nothing is left")
    if args.question not in ARGUMENT:
        if args.what is not None:
            raise UsageError(f"{args.question} asks for nothing in particular: leave out {args.what[:80]!r}")
        return None
    if args.what is None:
        raise UsageError(f"{args.question}: say which: {ARGUMENT[args.question]}")
    types: dict[str, Callable[[str], Any]] = {"cycle": cyclenumber, "who-held": nanoseconds}
    try:
        return types.get(args.question, str)(args.what)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{args.question} {error}") from None


def ask(log: Logfile, args: argparse.Namespace, what: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:  # noqa: ANN401
    """The answer to what the options ask; if that has more rows than are to be shown, one more."""
    if args.sql:
        try:
            return select(log.db, args.sql, args.most + 1)
        except SqlError as error:
            raise UsageError(f"--sql: {error} (see: inspect LOG tables)") from None
    filters = Filters(
        since=args.since,
        until=args.until,
        m=thread(log, args.m, "--m") if args.m else None,
        wbuf=buffer(log, args.buffer, "--buffer") if args.buffer else None,
        entry=args.entry,
        most=args.most,
    )
    match args.question:
        case "wbuf":
            return queries.wbuf(log, filters, buffer(log, what, "wbuf"))
        case "m":
            return queries.listing(log, filters, "m = ?", thread(log, what, "m"))
        case "cycle":
            return queries.cycle(log, filters, cycle(log, what))
        case "contention":
            return queries.contention(log, filters)
        case "who-held":
            return queries.whoheld(log, filters, what)
        case "violations":
            return queries.violations(log, filters)
        case _:
            return queries.summary(log, filters)


def thread(log: Logfile, name: str, what: str) -> str:
    """A thread's name; raises UsageError if there is none."""
    found = queries.threadname(log, name)
    if found is None:
        raise UsageError(f"{what} {name[:80]!r}: no such thread; there are {', '.join(log.threads)[:400]}")
    return found


def buffer(log: Logfile, name: str, what: str) -> str:
    """A buffer's name; raises UsageError if the log has none of that name."""
    found = queries.buffername(name)
    if not queries.has(log, "wbuf", found):
        raise UsageError(f"{what} {name[:80]!r}: no such buffer: {queries.buffers(log)}")
    return found


def cycle(log: Logfile, number: int) -> int:
    """A cycle's number; raises UsageError if the log has none of that number."""
    if not queries.has(log, "cycle", number):
        raise UsageError(f"cycle {number}: no such cycle: {queries.cycles(log)}")
    return number
