"""Judges all recorded events of a run, by every rule.

Events are taken by time, each thread's in its own order.  Where a ring has overflowed there is a hole, from the thread's
last event before it to the event LOST; nothing that reaches into a hole is judged: the rest is judged in pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from collector.audit.recorded.barrier import Barrier
from collector.audit.recorded.courses import Courses
from collector.audit.recorded.cycles import Cycles
from collector.audit.recorded.harvests import Harvests
from collector.audit.recorded.liststacks import ListStacks
from collector.audit.recorded.ownership import Ownership
from collector.audit.recorded.rootjobs import Living, RootJobs
from collector.audit.recorded.stops import Stops
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from collector.audit.recorded.happened import Finding, Happened


@dataclass
class Verdict:
    """What the events of a run come to."""

    findings: list[Finding] = field(default_factory=list)
    """By time."""
    judged: int = 0
    """Events; the rest fell into holes."""
    events: int = 0
    pieces: int = 0
    buffers: int = 0
    rounds: int = 0
    """Of the termination barrier."""
    undecided: int = 0
    """Rounds whose counting has too many orders to try them."""
    stops: int = 0
    harvests: int = 0


def judge(events: Iterable[Happened], *, closed: bool, mutators: int, threads: Sequence[str] = ()) -> Verdict:
    """Judge them.

    `closed`: the run ended by itself, so that nothing happened after the last event of a thread.  `mutators`: threads 1 to
    so many have a goroutine each; one without any event may have ended before it did anything.  `threads`: names to be said,
    by number.
    """
    ordered = sorted(events, key=itemgetter(0))
    helpers = {e.thread for e in ordered if (e.kind == Event.PARK and not e.a) or e.kind == Event.HELP}
    living = Living(mutators, {event.thread: event for event in ordered}, closed=closed)
    verdict = Verdict(events=sum(e.kind != Event.LOST for e in ordered))
    begin, ends = -1, holes(ordered)
    for since, until in [*ends, (None, None)]:
        piece = [e for e in ordered if e.time > begin and (since is None or e.time < since)] if ends else ordered
        if piece:
            whole, last = begin < 0, since is None
            _piece(piece, helpers, verdict, living, whole=whole, closed=closed and last, threads=threads)
        begin = until if until is not None else begin
    verdict.findings.sort()
    return verdict


def holes(ordered: list[Happened]) -> list[tuple[int, int]]:
    """From when to when the recording has holes, joined and in order."""
    latest: dict[int, int] = {}
    found: list[tuple[int, int]] = []
    for event in ordered:
        if event.kind == Event.LOST:
            found.append((latest.get(event.thread, 0), event.time))
        latest[event.thread] = event.time
    joined: list[tuple[int, int]] = []
    for since, until in sorted(found):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined


def _piece(
    events: list[Happened],
    helpers: Collection[int],
    verdict: Verdict,
    living: Living,
    *,
    whole: bool,
    closed: bool,
    threads: Sequence[str],
) -> None:
    """Judge a piece without holes; `whole`: it begins with the run."""
    ownership = Ownership(threads, whole=whole)
    stacks = ListStacks(whole=whole, closed=closed)
    barrier = Barrier(ownership, whole=whole, closed=closed)
    before: dict[int, Happened] = {}
    stops = Stops(ownership, helpers, before, whole=whole)
    harvests = Harvests(ownership, whole=whole)
    # The ownership's last: the others see where the buffers were before the event.
    courses, cycles = Courses(whole=whole, closed=closed), Cycles(whole=whole, closed=closed)
    jobs = RootJobs(stops, living, whole=whole)
    judges = (stops, harvests, barrier, stacks, courses, cycles, jobs, ownership)
    handlers = {kind: [by[kind] for by in (j.handlers() for j in judges) if kind in by] for kind in Event}
    pushing, topark = stacks.pushing, stops.topark
    for event in events:
        thread = event.thread
        if thread in pushing:
            stacks.next(event)
        last = before.get(thread)
        if topark or stops.standing:
            stops.watch(event, last)
        for handler in handlers[event.kind]:
            handler(event, last)
        before[thread] = event
    for one in judges:
        one.finish()
        verdict.findings += one.findings
    verdict.judged += len(events)
    verdict.pieces += 1
    verdict.buffers = max(verdict.buffers, len(ownership.place))
    verdict.rounds += barrier.rounds
    verdict.undecided += barrier.undecided
    verdict.stops += stops.stops
    verdict.harvests += harvests.harvests
