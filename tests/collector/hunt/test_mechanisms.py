"""What a failed run's log shows is in the first small worlds that are looked at, and the failure with it.

A row is what the log of a run with that fault has shown, in the words of its failure's last line.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from collector.audit.recorded.happened import Happened
from collector.explore.simulation import Simulation
from collector.explore.strategies.base import Options
from collector.explore.token import Token
from collector.hunt.facts import Facts, facts
from collector.hunt.search import BRIEF, LONGEST, method
from collector.hunt.worlds import parsed, program, worlds
from workbuf.events import FULL, PHASE_NAMES, Event


if TYPE_CHECKING:
    from collector.report.log.recorded import Recorded

THREADS = ["gc", "rewire0", "finalizers1", "helper0", "helper1"]
MARKTERM = PHASE_NAMES.index("marktermination")


class Row(NamedTuple):
    """What a log shows, and where and how it is found."""

    fault: str
    text: str
    world: str
    """Of those looked at first."""
    strategy: str
    cycle: int = 1
    helpers: int = 2
    kinds: tuple[Event, ...] = ()
    """Events of mutators in the cycle."""
    stopped: bool = False
    crash: bool = False


LEAK = "violation (leak): 4 of 5 buffers are in nobody's hands and on no list"
LOST = "violation (lost): 3 reachable objects are not marked"
STOP = "fatal error: stoptheworld: not stopped"
HANG = "violation (hang): no progress for 3 seconds (nwait=1, nproc=3)"
ROWS = (
    Row("barrier-not-reset", "fatal error: scanblock phase incorrect", "move+hide:7:1", "pct"),
    Row("pop-by-store", "fatal error: workbuf is not empty", "replace+replace:25:0", "random", 4, 0),
    Row("push-links-late", LEAK, "replace+replace:25:1", "active", 4),
    Row("push-links-late", "fatal error: logget: get not legal", "move+hide:49:1", "active", 4),
    Row("handoff-keeps", "fatal error: logput: put not legal", "move+hide:25:2", "active", kinds=(Event.HANDOFF,)),
    Row("handoff-drops", LOST, "move+hide:25:2", "random", 8, kinds=(Event.HANDOFF,), stopped=True),
    Row("helper-does-not-drain", HANG, "move+hide:7:1", "active"),
    Row("getfull-uncounted", HANG, "move+hide:7:0", "pct", 1, 0),
    Row("mark-by-store", "fatal error: found bad pointer in Go heap", "replace+replace:7:1", "random", 6),
    Row("spans-kept", LOST, "replace+replace:7:1", "random", 5),
    Row("black-allocation-off", "fatal error: found bad pointer in Go heap", "replace+replace:7:0", "random", 4, 0),
    Row("first-mask-word-only", LOST, "move+hide:25:1", "pct"),
    Row("mask-kept", "fatal error: use after free", "replace+replace:7:1", "random", 7),
    Row("assist-drops-rest", LOST, "move+hide:25:1", "active", 2, kinds=(Event.ASSIST,)),
    Row("finalizer-lost", "fatal error: finalizer never ran", "finalizers+rewire:7:0", "random", 7, 0),
    Row("syscall-return-unchecked", STOP, "call+move:7:0", "active", 1, 0, (Event.SYSCALL,)),
)  # fmt: skip
FIRST = 24
"""Worlds."""
MANY = 400
"""Schedules."""


def logged(row: Row) -> Facts:
    """What is known by the log of such a run."""
    events = [
        Happened(1, 0, Event.CYCLE, row.cycle, int(row.stopped), 0),
        Happened(2, 0, Event.PHASE, MARKTERM, MARKTERM - 1, 0),
        *(Happened(3, 1, kind, 0, 0, 0) for kind in row.kinds),
        *(Happened(4, t, Event.PUT, "wbuf1", 0, FULL) for t in (1, 2)),
        Happened(5, 0, Event.ROOTS, 10, row.helpers + 1, 0),
    ]
    log = SimpleNamespace(events=events, threads=THREADS, told=row.text, failure="Throw", header={"plant": row.fault})
    return facts(cast("Recorded", log))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.fault}, {row.text[:40]}")
def test_the_first_worlds_have_what_the_log_shows(row: Row) -> None:
    """One of them is searched with one strategy, until it fails in the same way."""
    known = logged(row)
    name = next(name for name in worlds(known)[:FIRST] if name.startswith(f"cycle:{row.world}:"))
    made = parsed(name)
    longest = LONGEST if "finalizers" in made.lives else BRIEF
    simulation = Simulation(Token(limit=longest * len(made.plan)), program(made))
    by, left = method(row.strategy, known, Options(1)), MANY

    while left > 0:
        _, fault, n = simulation.complete((), by, left, hangs=known.hang)
        left -= n
        if fault and known.same(fault):
            return

    pytest.fail(f"explore {name} --strategy {row.strategy} --seed 1: not in {MANY} schedules")
