"""Queries the results of campaigns: verdicts by kind, the different failures, any SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from collector.campaign import store
from collector.commands.usage import UsageError
from collector.report.log.cachefile import MAGIC
from collector.report.log.sql import SqlError, select
from collector.report.regular import regular
from collector.report.tables import table


if TYPE_CHECKING:
    import argparse

SUMMARY = (
    "SELECT kind, coalesce(verdict, 'not done') AS verdict, count(*) AS tasks, sum(schedules) AS schedules, "
    "round(sum(seconds), 1) AS seconds FROM tasks WHERE wanted GROUP BY 1, 2 ORDER BY 1, 2"
)
FAILURES = "SELECT times, fault, name, text, place FROM failures"


def results(path: str) -> bool:
    """Is the file an SQLite database, and not a log?"""
    try:
        with open(path, "rb", opener=regular) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def inspect(args: argparse.Namespace) -> None:
    """Ask, and print; raises UsageError."""
    if args.question == "tables" and not args.sql:
        print((store.__doc__ or "").partition("Guards")[0].partition("\n\n")[2].rstrip())
        return
    questions = {"summary": SUMMARY, "violations": FAILURES}
    text = args.sql or questions.get(args.question)
    if text is None or args.other_log or args.m or args.buffer or args.entry is not None:
        raise UsageError(f"{args.log}: results of campaigns: ask for summary, violations, tables or --sql")
    try:
        uri = f"{Path(args.log).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            head, rows = select(db, text, args.most + 1)
    except SqlError as error:
        where = "--sql" if args.sql else args.log
        raise UsageError(f"{where}: {error} (see: inspect {args.log} tables)") from None
    except sqlite3.Error as error:
        raise UsageError(f"{args.log}: {error}") from None
    rows, left = rows[: args.most], rows[args.most :]
    print(table([tuple("" if cell is None else str(cell) for cell in row) for row in rows], head))
    if not rows:
        print("(none)")
    if left:
        print(f"(the first {args.most} rows; --most N for more)")
    if args.json:
        args.json.writejson({"columns": list(head), "rows": [list(row) for row in rows]})
