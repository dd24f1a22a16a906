"""`inspect LOG check`: the recorded events of a run, judged by every rule that they can be judged by."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from collector.audit.recorded.judge import judge
from collector.commands.files import apart
from collector.commands.parser import RUN
from collector.commands.status import OK, VIOLATION
from collector.commands.usage import UsageError
from collector.report.log.lines import LogfileError
from collector.report.log.queries import duration, last
from collector.report.log.recorded import Recorded
from collector.report.progress import Progress
from collector.report.streams import oneline
from collector.report.tables import table
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from collector.audit.recorded.judge import Verdict


def check(args: argparse.Namespace) -> int:
    """Judge the log and print what is wrong in it; returns the exit status.  Raises UsageError."""
    if (
        args.sql
        or args.other_log
        or args.m
        or args.buffer
        or args.entry is not None
        or (args.since, args.until) != (None, None)
    ):
        raise UsageError("check: it judges the whole log; of the options it takes --most and --json")
    with Progress(f"judging {args.log}"), uncollected():
        try:
            log = Recorded(args.log)
        except LogfileError as error:
            raise UsageError(str(error)) from None
        if args.json:
            apart({"--json": args.json}, "a file of the log", log.files)
        verdict = judge(log.events, closed=log.closed, mutators=log.mutators, threads=log.threads)
    start = min((event.time for event in log.events), default=0)
    rows = [
        (duration(found.time - start), log.threads[found.thread], found.rule, found.text) for found in verdict.findings
    ]
    if rows:
        print(table(rows[: args.most], ("time", "m", "rule", "what")))
        if len(rows) > args.most:
            print(f"(the first {args.most} of {len(rows)}; --most N for more)")
    print(said(verdict))
    failed = "" if log.interrupted else last(log.told) or log.failure
    if failed:
        print(f"(the run itself failed: {oneline(failed)}; see {RUN} inspect {quote(str(args.log))} violations)")
    if log.interrupted:
        print("(the run was interrupted)")
    if log.torn:
        print(f"(line {log.torn}, the last, is torn: the run was killed, or writes it just now; it is left out)")
    if args.json:
        found = [
            {"t": f.time - start, "m": log.threads[f.thread], "rule": f.rule, "what": f.text} for f in verdict.findings
        ]
        args.json.writejson({**vars(verdict), "findings": found, "failure": failed})
    return VIOLATION if rows else OK


def said(verdict: Verdict) -> str:
    """What was judged, and what came of it."""
    count = len(verdict.findings)
    what = f"wrong: {counted(count, 'place')}" if count else "ok: nothing wrong"
    of = (
        counted(verdict.buffers, "buffer"),
        f"{counted(verdict.rounds, 'round')} of the barrier",
        counted(verdict.stops, "stop"),
        counted(verdict.harvests, "harvest"),
    )
    lines = [f"{what} in {counted(verdict.judged, 'event')}: {', '.join(of)}"]
    if verdict.judged < verdict.events:
        left = verdict.events - verdict.judged
        lines.append(
            f"({counted(left, 'event')}, where others fell out of the rings, not judged;"
            f" the rest in {counted(verdict.pieces, 'piece')})"
        )
    if verdict.undecided:
        lines.append(
            f"(nwait's order is not judged in {counted(verdict.undecided, 'round')}, with more orders than were tried)"
        )
    return "\n".join(lines)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's own garbage collector, which would go through a million events again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
