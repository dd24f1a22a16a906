"""Whole collections: who asks for them, their phases, what survives them.  Vector W18.

One thread plays everybody: the collector's own steps are the places where a mutator gets its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.runtime import AuditedM, CollectorM
from mutator.heap import POISON
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.world import GDEAD, GRUNNING, GWAITING, RUNTIME, SCHED
from tests.worlds import Bench, Noting
from workbuf.events import Event
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


class Turns(AuditedM):
    """A collector at whose stamps somebody else gets a turn."""

    turn: Callable[[str], object] = staticmethod(lambda _: None)

    def stamp(self, name: str) -> None:
        """Stamp, then give the turn."""
        super().stamp(name)
        self.turn(name)


def collector(bench: Bench, **turns: Callable[[], object]) -> Any:  # noqa: ANN401
    """The collector's M, running, each turn given at the stamp of its name."""
    gcm = bench.start(bench.m(bench.model.gcm, Turns))
    gcm.turn = lambda name: turns.get(name, lambda: None)()
    return gcm


def phases(noting: Noting) -> list[int]:
    """The phases that were entered."""
    return [event[1] for event in noting.events if event[0] == Event.PHASE]


def collect(gcm: Any, force: int = 0) -> None:  # noqa: ANN401
    """A collection, and the sweep after it."""
    gcm.gcwork(force)
    gcm.bgsweep()


def freed(bench: Bench, *objects: int) -> bool:
    """Has sweep written over all of them?  Their spans may be gone, so there is no byte to ask."""
    return all(bench.peek(p // WORD) == POISON for p in objects)


def asleep(bench: Bench, i: int = 0) -> AuditedM:
    """A mutator that runs when it is woken from its system call."""
    m = bench.start(bench.mutators[i])
    m.entersyscall()
    return m


def awake(m: AuditedM, act: Callable[[AuditedM], object]) -> Callable[[], None]:
    """What a mutator does between two system calls."""

    def turn() -> None:
        m.exitsyscall()
        act(m)
        m.entersyscall()

    return turn


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


@pytest.mark.parametrize("force", [0, 1])
def test_garbage_goes_and_what_is_reachable_stays(bench: Bench, force: int) -> None:
    """From bss, from a stack, from the stack of somebody parked; three collections, with new garbage each."""
    kept = [bench.chain(30) for _ in range(3)]
    bench.setbss(kept[0][0])
    bench.frame(bench.mutators[0].curg, kept[1][0])
    bench.frame(bench.mutators[1].curg, kept[2][0])
    gcm = collector(bench)
    for cycle in range(1, 4):
        gone = bench.chain(40)

        collect(gcm, force)

        assert all(all(bench.allocated(*nodes)) for nodes in kept)
        assert gcm.reach.marked == gcm.reach.reachable == 90
        assert (gcm.numgc, gcm.reach.floating) == (cycle, 0)
        assert freed(bench, *gone)


def test_what_dies_during_the_mark_floats_until_the_next(bench: Bench) -> None:
    """It was marked before it was dropped: kept this time, counted, freed the next."""
    nodes = bench.chain(4)
    bench.setbss(nodes[0])
    m = asleep(bench)
    gcm = collector(bench, markterm=awake(m, lambda m: m.writebarrierptr(bench.world.bss.slot(0), 0)))

    collect(gcm)
    assert gcm.reach.floating == 4
    assert bench.allocated(*nodes) == [True] * 4

    collect(gcm)
    assert gcm.reach.floating == 0
    assert freed(bench, *nodes)


def test_a_pointer_hidden_on_a_scanned_stack_is_found_by_the_second_scan(bench: Bench) -> None:
    """Loaded onto the stack and deleted from the heap after both were scanned: no barrier sees it (deletion has none)."""
    hidden = bench.chain(3)
    box = bench.obj(hidden[0])
    bench.setbss(box)
    m = asleep(bench)
    slot = m.call(1)

    def hide(m: AuditedM) -> None:
        m.port.words[slot] = m.get(box, 0)
        m.put(box, 0, 0)

    gcm = collector(bench, installmarkwb=awake(m, hide))
    collect(gcm)

    assert bench.allocated(*hidden) == [True] * 3
    assert gcm.cycle.scanned_after - gcm.cycle.scanned_markterm == 3


def test_a_pointer_stored_into_a_scanned_object_is_shaded(bench: Bench) -> None:
    """Otherwise nobody would look there again (I9)."""
    box = bench.obj(0)
    bench.setbss(box)
    m = asleep(bench)
    slot = m.call(1)
    nodes = bench.chain(3)
    bench.machine.poke(slot, nodes[0])

    def publish(m: AuditedM) -> None:
        m.put(box, 0, m.port.words[slot])
        m.port.words[slot] = 0

    gcm = collector(bench, markterm=awake(m, publish))
    collect(gcm)

    assert bench.allocated(*nodes) == [True] * 3


def test_new_objects_survive_the_collection_in_which_they_are_made(bench: Bench) -> None:
    """White ones that were published, and those on the stack."""
    m = asleep(bench)
    slot = m.call(1)
    born: list[int] = []

    def allocate(m: AuditedM) -> None:
        for _ in range(3):
            p = m.new(2 * WORD, 0b11)
            m.put(p, 0, m.port.words[slot])
            m.port.words[slot] = p
            born.append(p)

    gcm = collector(bench, scan=awake(m, allocate), mark=awake(m, allocate), markterm=awake(m, allocate))
    collect(gcm)

    assert len(born) == 9
    assert bench.allocated(*born) == [True] * 9


def test_a_finalizer_runs_once_and_then_its_object_goes(bench: Bench) -> None:
    """Found dead: queued, and kept for it with all it points to; freed when nobody holds it any more."""
    far = bench.leaf()
    p, closure = bench.obj(far), bench.leaf()
    bench.gcm.setfinalizer(p, closure)
    gcm = collector(bench)

    collect(gcm)
    collect(gcm)
    assert bench.allocated(p, far, closure) == [True] * 3
    assert gcm.takefinalizer() == (closure, p)
    assert gcm.takefinalizer() is None

    collect(gcm)
    assert freed(bench, p, far, closure)
    assert gcm.takefinalizer() is None


def test_the_goroutines_of_dead_mutators_are_no_roots(bench: Bench) -> None:
    """Their caches are harvested all the same."""
    m = bench.start(bench.mutators[0])
    bench.machine.poke(m.call(1), p := bench.leaf())
    m.cache(bench.full(m, [bench.leaf()]))
    m.casgstatus(m.curg, GRUNNING, GDEAD)
    m.releasep()
    gcm = collector(bench)

    gcm.gcwork(1)

    assert bench.look.cache(m.record) == 0
    assert bench.marked(p) == [False]


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


def test_gogc_asks_once(bench: Bench) -> None:
    """While a collection is asked for or under way, further requests are nothing: a second wake-up would throw."""
    for m in (*bench.mutators, *bench.mutators):
        m.gogc(0)

    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note"), bench.runtime("bggc_force")) == (1, 1, 0)


@pytest.mark.parametrize("force", [0, 1])
def test_the_background_collector_collects_when_it_is_asked(bench: Bench, force: int) -> None:
    """As it was asked to; then it can be asked again."""
    gcm = collector(bench)
    bench.mutators[0].gogc(force)

    assert gcm.background(10**9)

    assert (gcm.numgc, gcm.cycle.concurrent) == (1, force == 0)
    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note"), bench.runtime("bggc_force")) == (0, 0, 0)
    bench.mutators[0].gogc(0)
    assert gcm.background(10**9)


def test_the_background_collector_collects_by_the_clock_too(bench: Bench) -> None:
    """Nobody has asked; meanwhile it counts as working, so nobody can."""
    working: list[int] = []
    gcm = collector(bench, mark=lambda: working.append(bench.runtime("bggc_working")))

    assert not gcm.background(1)

    assert working == [1]
    assert (gcm.numgc, bench.runtime("bggc_working")) == (1, 0)


def test_a_request_that_comes_as_the_rest_ends_is_not_lost(bench: Bench) -> None:
    """The sleep has timed out, the request comes, and then the collector takes the lock: it is asked."""

    class Overtaken(Noting):
        """A port whose sleep on the note ends with somebody's request."""

        def sleep(self, note: int, ns: int = -1) -> bool:
            """Time out, and then be asked."""
            woken: bool = self.port.sleep(note, ns)
            bench.mutators[0].gogc(0)
            return woken

    gcm = bench.start(bench.m(bench.model.gcm, through=Overtaken(bench.port)))

    assert gcm.waitwork(1)
    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note")) == (1, 0)


def test_the_sweep_is_finished_before_the_next_collection_marks(bench: Bench) -> None:
    """What the background sweep has not come to is swept at its beginning, while the world still runs."""
    gcm = collector(bench)
    lost = bench.chain(50)
    gcm.gcwork(0)

    gcm.gcwork(0)

    assert gcm.cycle.nbgsweep > 0
    assert gcm.cycle.npausesweep == 0
    assert freed(bench, *lost)
