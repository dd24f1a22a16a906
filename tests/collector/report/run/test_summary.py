"""A run's figures: each held against another way to count it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.audit.violation import Violation
from collector.report.run.summary import Summary
from collector.runtime import Config
from collector.stress.run import Plan, Stress
from workbuf.events import FULL, PARTIAL, Event
from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.recorder import Record


def finished(seed: int, *programs: str, concurrent: bool = True) -> tuple[Stress, list[Record]]:
    """A short run over a small graph, and all its events."""
    config = Config(mutators=len(programs), helpers=2, arena=1 << 26)
    plan = Plan(config, programs, cycles=3, period=0.03, seed=seed, concurrent=concurrent, events=True, ring=1 << 20)
    run = Stress(plan, heaps.read("synthetic:random,n=1500,m=4000,threads=4"))
    events: list[Record] = []
    run.run(lambda report: events.extend(report.events))
    return run, sorted(events + run.recorder.drain())


def test_the_figures_are_those_of_the_events_and_of_the_ms(seed: int) -> None:
    """Counted anew from what the threads have said."""
    run, events = finished(seed, "pushpop", "hider", "rewire")
    counts = Counter(record.kind for record in events)

    summary = Summary.of(run, "3.11, GIL on", 1.25, None)

    assert summary.events_dropped == 0
    assert summary.gets == counts[Event.GET] == summary.puts == counts[Event.PUT]
    assert (summary.handoffs, summary.waits) == (counts[Event.HANDOFF], counts[Event.WAIT])
    assert (summary.assists, summary.self_scans) == (counts[Event.ASSIST], counts[Event.SCANSTACK])
    assert summary.nwait_max == max(record.a for record in events if record.kind == Event.WAIT)
    # Put by one M and got by another, by the clock: every put comes before the get that it makes possible.
    holder: dict[int, int] = {}
    migrations = steals = 0
    for record in events:
        if record.kind == Event.PUT:
            holder[record.a] = record.thread
        elif record.kind == Event.GET and holder.get(record.a, record.thread) != record.thread:
            migrations += 1
            steals += record.c in (FULL, PARTIAL)
    assert (summary.migrations, summary.steals) == (migrations, steals)
    assert summary.cas_attempts == sum(m.cas_attempts for m in run.ms) > summary.gets
    assert summary.cas_failures == sum(m.cas_failures for m in run.ms)
    assert summary.buffers == counts[Event.NEW]
    assert summary.cycles == len(summary.harvested) == 3
    assert 0 < summary.stw_share < 1


def test_what_is_scanned_in_stopped_cycles_is_scanned_stopped(seed: int) -> None:
    """All of it."""
    run, _ = finished(seed, "pushpop", concurrent=False)

    assert Summary.of(run, "", 0.0, None).stw_share == 1


@pytest.mark.parametrize(
    ("error", "lost", "leaked", "violations"),
    [
        (None, 0, 0, 0),
        (Violation("lost", "text", count=3), 3, 0, 1),
        (Violation("leak", "text", count=2), 0, 2, 1),
        (Throw("text"), 0, 0, 1),
        (KeyError("text"), 0, 0, 1),
        (KeyboardInterrupt(), 0, 0, 0),
    ],
    ids=["nothing", "lost", "leak", "throw", "crash", "interrupt"],
)
def test_what_ended_a_run_is_counted(error: BaseException | None, lost: int, leaked: int, violations: int) -> None:
    """By its kind; a run that was interrupted has violated nothing.  No cycle has ended here, and the table says so."""
    run = Stress(Plan(Config(mutators=0, helpers=0, arena=1 << 24), ()), heaps.read("synthetic:random,n=30"))

    summary = Summary.of(run, "", 0.0, error)

    assert (summary.lost, summary.buffers_leaked) == (lost, leaked)
    assert (summary.violations, summary.interrupted) == (violations, isinstance(error, KeyboardInterrupt))
    rows = dict(summary.rows())
    assert rows["objects"] == "30 loaded; no cycle has ended" + (f", lost {lost}" if lost else "")
    assert rows["scanned stopped"] == rows["last harvests"] == "no cycle has ended"
    assert "no mark termination has ended" in summary.table()
    assert summary.json()["seed"] == 1
