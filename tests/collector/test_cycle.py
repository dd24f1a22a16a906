"""Whole collections: their phases, stops and stamps, and whose stacks are scanned.  Vector W18."""

from __future__ import annotations

from typing import Any

import pytest

from collector.runtime import AuditedM, CollectorM
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.world import GRUNNING, GWAITING, RUNTIME, SCHED
from tests.collector.turns import collect, collector, freed
from tests.worlds import Bench, Noting
from workbuf.events import Event
from workbuf.throw import Throw


def phases(noting: Noting) -> list[int]:
    """The phases that were entered."""
    return [event[1] for event in noting.events if event[0] == Event.PHASE]


def test_w18_a_quiet_concurrent_cycle() -> None:
    """W18: One goroutine with a list of three, one M, no mutation.

    The scan greys the first object into the scanning M's cache; the harvest moves that buffer to full (947); the
    concurrent mark scans all three; mark termination finds nothing to do.
    """
    bench = Bench(mutators=0, helpers=0)
    nodes = bench.chain(3)
    bench.frame(bench.gcm.curg, nodes[0])
    seen: dict[str, Any] = {}

    def scanned() -> None:
        b = bench.look.cache(gcm.record)
        seen["scanned"] = (bench.marked(*nodes), bench.look.entries(b), bench.look.log(b)[0], gcm.scanned)

    def harvested() -> None:
        (b,) = bench.look.listed("full")
        seen["harvested"] = (bench.look.log(b)[0], bench.look.entries(b), bench.look.cache(gcm.record))

    def marked() -> None:
        seen["marked"] = (bench.marked(*nodes), gcm.scanned, bench.places()["full"], bench.places()["partial"])

    gcm = collector(bench, installmarkwb=scanned, mark=harvested, markterm=marked)
    collect(gcm)

    assert seen == {
        "scanned": ([True, False, False], [nodes[0]], 80700460, 0),
        "harvested": (947, [nodes[0]], 0),
        "marked": ([True] * 3, 3, 0, 0),
    }
    assert gcm.scanned == 3
    assert gcm.cycle.gcstats["nhandoff"] == 0
    assert (gcm.cycle.harvested_mark, gcm.cycle.harvested_markterm) == (1, 0)
    assert bench.places()["full"] == bench.places()["partial"] == 0
    assert bench.allocated(*nodes) == [True] * 3


def test_w18_with_another_root_behind_it() -> None:
    """W18: Then the buffer is on partial, under 670, when the scan is over."""
    bench = Bench(mutators=1, helpers=0)
    nodes = bench.chain(3)
    bench.frame(bench.gcm.curg, nodes[0])
    seen: list[tuple[int, list[int]]] = []

    def scanned() -> None:
        (b,) = bench.look.listed("partial")
        seen.append((bench.look.log(b)[0], bench.look.entries(b)))

    gcm = collector(bench, installmarkwb=scanned)
    collect(gcm)

    assert seen == [(670, [nodes[0]])]
    assert gcm.scanned == 3
    assert gcm.cycle.harvested_mark == 0
    assert bench.allocated(*nodes) == [True] * 3


@pytest.mark.parametrize(
    ("force", "entered", "stops"),
    [(0, [GCscan, GCmark, GCmarktermination, GCoff], 3), *((force, [GCmarktermination, GCoff], 1) for force in (1, 2))],
)
def test_the_phases_of_a_collection(bench: Bench, force: int, entered: list[int], stops: int) -> None:
    """Concurrent: three stops, and the barrier is not off between the marks (K-2).  Stopped: one stop."""
    noting = Noting(bench.port)
    gcm = bench.start(bench.m(bench.model.gcm, through=noting))

    collect(gcm, force)

    assert phases(noting) == entered
    kinds = [event[0] for event in noting.events]
    assert [kinds.count(kind) for kind in (Event.STOP, Event.STOPPED, Event.START)] == [stops] * 3
    assert (kinds[0], kinds[-1]) == (Event.CYCLE, Event.CYCLE_END)
    assert (gcm.cycle.number, gcm.cycle.concurrent) == (1, force == 0)


def test_the_phase_changes_only_while_the_world_is_stopped(bench: Bench) -> None:
    """I13, at every change of two collections."""

    class Watchful(AuditedM):
        """Looks at gcwaiting whenever it changes the phase."""

        def setphase(self, phase: int) -> None:
            """Look, then change."""
            waiting.append(self.port.load(self.sched + SCHED.gcwaiting))
            super().setphase(phase)

    waiting: list[int] = []
    gcm = bench.start(bench.m(bench.model.gcm, Watchful))

    collect(gcm, 0)
    collect(gcm, 1)

    assert waiting == [1] * 6


def test_worldsema_is_given_up_before_the_world_starts(bench: Bench) -> None:
    """As in the seed (K-17); until then nobody else can stop the world."""
    noting = Noting(bench.port)
    gcm = bench.start(bench.m(bench.model.gcm, through=noting))

    collect(gcm)

    sema, waiting = bench.world.runtime + RUNTIME.worldsema, bench.world.sched + SCHED.gcwaiting
    changes = [what for what in noting.order(sema, waiting) if what[0] != "load"]
    assert changes == [("store", waiting)] * 5 + [("unlock", sema), ("store", waiting)]


def test_the_stamps_of_a_cycle_come_in_order(bench: Bench) -> None:
    """Go's gctimer, and the five times of the gctrace line."""
    gcm = collector(bench)
    collect(gcm)
    names = ["sweepterm", "scan", "installmarkwb", "mark", "markterm", "t0", "t1", "t2", "t3", "t4", "sweep"]

    assert list(gcm.cycle.stamps) == names
    assert sorted(gcm.cycle.stamps.values()) == list(gcm.cycle.stamps.values())


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("force", [0, 1, 2])
def test_force_2_sweeps_in_the_stopped_world(bench: Bench, force: int, *, verify: bool) -> None:
    """And leaves nothing for later; the others leave everything."""

    class Looking(AuditedM):
        """Looks how far the sweep is when the world starts."""

        def collected(self) -> None:
            """Look."""
            swept.append(
                (freed(bench, *gone), self.port.load(self.sched + SCHED.gcwaiting), self.cycle.npausesweep > 0)
            )

    swept: list[tuple[bool, int, bool]] = []
    gone = bench.chain(40)
    gcm = bench.start(bench.m(bench.model.gcm, Looking))
    gcm.checkmark_enabled = verify

    gcm.gcwork(force)

    assert swept == [(force == 2, 1, force == 2)]
    assert (gcm.sweepone() < 0) == (force == 2)


class Blind(AuditedM):
    """Does not look for one of the goroutines."""

    def scangoroutine(self, gp: int) -> None:
        """Not the first."""
        if self.port.words[gp] != 1:
            super().scangoroutine(gp)


def test_a_goroutine_that_was_not_scanned_throws(bench: Bench) -> None:
    """The scan phase asks every one it knew of."""
    gcm = bench.start(bench.m(bench.model.gcm, Blind))

    with pytest.raises(Throw) as thrown:
        gcm.gcwork(0)

    assert str(thrown.value) == "fatal error: scan missed a g"


def test_the_collectors_own_goroutine_waits_while_it_scans(bench: Bench) -> None:
    """Its roots are roots like others'."""
    seen: list[int] = []

    class Seeing(CollectorM):
        """Looks at its own status at the end of the scan phase."""

        def rootsscanned(self) -> None:
            """Look."""
            seen.append(self.readgstatus(self.curg))

    nodes = bench.chain(2)
    bench.frame(bench.gcm.curg, nodes[0])
    gcm = bench.start(bench.m(bench.model.gcm, Seeing))

    collect(gcm)

    assert seen == [GWAITING]
    assert gcm.readgstatus(gcm.curg) == GRUNNING
    assert bench.allocated(*nodes) == [True, True]


def test_the_sweep_is_finished_before_the_next_collection_marks(bench: Bench) -> None:
    """What the background sweep has not come to is swept at its beginning, while the world still runs."""
    gcm = collector(bench)
    lost = bench.chain(50)
    gcm.gcwork(0)

    gcm.gcwork(0)

    assert gcm.cycle.nbgsweep > 0
    assert gcm.cycle.npausesweep == 0
    assert freed(bench, *lost)
