"""Query a log: a buffer's life, a thread's events, a cycle, contention, buffers held for long, or any SQL.

inspect LOG                       summary
inspect LOG wbuf 17               every owner of a buffer, when, and how it came and went
inspect LOG m 3                   the events of a thread, by number or name
inspect LOG cycle 4               the course of a cycle
inspect LOG contention            where threads met
inspect LOG who-held 500us        buffers held for longer than that
inspect LOG violations            what failed, and what came before
inspect LOG tables                the tables that --sql sees
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from collector.commands.files import Input, Output, apart
from collector.commands.usage import UsageError, atleast
from collector.report.log import database as logfile
from collector.report.log import queries
from collector.report.log.database import Logfile
from collector.report.log.parts import LogfileError
from collector.report.log.queries import Filters
from collector.report.log.sql import SECONDS, SqlError, select
from collector.report.progress import Progress
from collector.report.streams import oneline
from collector.report.tables import table


if TYPE_CHECKING:
    import argparse

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
QUESTIONS = ("summary", "wbuf", "m", "cycle", "contention", "who-held", "violations", "tables")
ARGUMENT = {
    "wbuf": "a buffer's number",
    "m": "a thread",
    "cycle": "a cycle's number",
    "who-held": "a duration, say 500us",
}
MOST_NS = (1 << 63) - 1
"""SQLite's largest number; as a time, three hundred years."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `inspect`."""
    add = parser.add_argument
    add("log", type=Input, metavar="LOG", help="a file that `stress --log` wrote")
    add("question", nargs="?", default="summary", choices=QUESTIONS, metavar="QUESTION", help=", ".join(QUESTIONS))
    add("what", nargs="?", metavar="WHAT", help="the buffer, thread, cycle or duration asked for")
    add("--from", dest="since", metavar="TIME", help="leave out what was before, say 1.5s or 20ms")
    add("--to", dest="until", metavar="TIME", help="leave out what came after")
    add("--m", metavar="M", help="only this thread, by number or name")
    add("--buffer", metavar="N", help="only this buffer")
    add("--entry", type=atleast(0, MOST_NS), metavar="N", help="only this entry number")
    add("--most", type=atleast(1, MOST_NS), default=queries.MOST, metavar="N", help=f"rows at most ({queries.MOST})")
    add("--sql", metavar="SELECT", help=f"ask the tables yourself; read only, {SECONDS:g} s at most")
    add("--json", type=Output, metavar="FILE", help="write the answer")


def nanoseconds(text: str | None, option: str) -> int | None:
    """`1.5s`, `20ms`, `500us` or `300ns` as ns."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)(ns|us|ms|s)", text)
    if not match:
        raise UsageError(f"{option} {text[:80]!r}: a number and a unit, say 1.5s, 20ms, 500us or 300ns")
    time = float(match[1]) * UNITS[match[2]]
    if time > MOST_NS:
        raise UsageError(f"{option} {text[:80]!r}: longer than three hundred years")
    return min(int(time), MOST_NS)


def main(args: argparse.Namespace) -> int:
    """Load, ask, print; returns the exit status."""
    if args.question in ARGUMENT and args.what is None:
        raise UsageError(f"{args.question}: say which: {ARGUMENT[args.question]}")
    if args.question == "tables" and not args.sql:
        print((logfile.__doc__ or "").partition("Theory of operation")[0].partition("\n\n")[2].rstrip())
        return 0
    with Progress(f"reading {args.log}"):
        try:
            log = Logfile.open(args.log)
        except LogfileError as error:
            raise UsageError(str(error)) from None
    with log:
        if args.json:
            apart({"--json": args.json}, "a file of the log", log.files)
        head, rows = ask(log, args)
    print(table([tuple("" if cell is None else str(cell) for cell in row) for row in rows], head if any(head) else ()))
    if len(rows) == args.most:
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
    return 0


def ask(log: Logfile, args: argparse.Namespace) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The answer to what the options ask."""
    if args.sql:
        try:
            return select(log.db, args.sql, args.most)
        except SqlError as error:
            raise UsageError(f"--sql: {error} (see: inspect LOG tables)") from None
    filters = Filters(
        since=nanoseconds(args.since, "--from"),
        until=nanoseconds(args.until, "--to"),
        m=thread(log, args.m, "--m") if args.m else None,
        wbuf=queries.buffername(args.buffer) if args.buffer else None,
        entry=args.entry,
        most=args.most,
    )
    match args.question:
        case "wbuf":
            return queries.wbuf(log, filters, args.what)
        case "m":
            return queries.listing(log, filters, "m = ?", thread(log, args.what, "m"))
        case "cycle":
            if not re.fullmatch("[0-9]{1,18}", args.what):
                raise UsageError(f"cycle {args.what[:80]!r}: a number")
            return queries.cycle(log, filters, int(args.what))
        case "contention":
            return queries.contention(log, filters)
        case "who-held":
            return queries.whoheld(log, filters, nanoseconds(args.what, "who-held") or 0)
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
