"""gc(), mark termination: its order, its last checks, and what it hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.gc import GCSTATS
from collector.runtime import AuditedM, CollectorM
from mutator.heap import MSTATS
from mutator.phase import GCmark, GCoff
from mutator.world import GRUNNING, MEMSTATS, PAUSES, RUNTIME, G
from tests.worlds import Bench
from workbuf.buffer import NOBJ, gcinit
from workbuf.local import MLOCAL, WORK
from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.machine import Port


def stopped(bench: Bench, cls: type[Any] = AuditedM) -> Any:  # noqa: ANN401
    """The collector's M, of that class, in a stopped world, in the mark phase."""
    gcm = bench.start(bench.m(bench.model.gcm, cls))
    gcm.stoptheworld()
    bench.phase(GCmark)
    return gcm


class Ordered(AuditedM):
    """Notes what gc() does."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401
        super().__init__(*args)
        self.did: list[str] = []

    def setphase(self, phase: int) -> None:
        """Note it."""
        self.did.append(f"phase {phase}")
        super().setphase(phase)

    def finishsweep_m(self) -> int:
        """Note it."""
        self.did.append("finishsweep")
        return super().finishsweep_m()

    def resetwork(self, nproc: int) -> None:
        """Note it."""
        self.did.append(f"reset {nproc}")
        super().resetwork(nproc)

    def helpgc(self, nproc: int) -> None:
        """Note it, and wake nobody."""
        self.did.append(f"helpgc {nproc}")

    def gcprocs(self) -> int:
        """As if there were one helper."""
        return 2

    def harvestwbufs(self) -> int:
        """Note it."""
        self.did.append("harvest")
        return super().harvestwbufs()

    def gchelperstart(self) -> None:
        """Note it."""
        self.did.append("start")
        super().gchelperstart()

    def markroot(self, i: int) -> None:
        """Note the last one of the two threads' share."""
        super().markroot(i)
        self.did.append("roots")

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Note the drain, in which the helper that there is not waits already and is done."""
        if b == 0:
            self.did.append("drain")
            self.port.words[self.work_nwait] += 1
            self.port.words[self.world.work + WORK.ndone] = 1
            self.port.wake(self.world.work + WORK.alldone)
        return super().scanblock(b, n, ptrmask, wbuf)

    def marked(self) -> None:
        """Note it."""
        self.did.append("marked")

    def arm_sweep(self) -> None:
        """Note it."""
        self.did.append("arm")
        super().arm_sweep()


class Joining:
    """A port that notes the sleeps of the M that it serves."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.did: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def sleep(self, note: int, ns: int = -1, /) -> bool:
        """Note it."""
        self.did.append("join")
        return self.port.sleep(note, ns)


def test_gc_does_things_in_gos_order(bench: Bench) -> None:
    """The phase first of all; the helpers before the harvest; the phase off before they are joined; the sweep last."""
    stopped(bench)
    joining = Joining(bench.port)
    gcm = bench.again(bench.gcm, Ordered, through=joining)
    gcm.did = joining.did

    gcm.gc_m()

    did = [what for at, what in enumerate(gcm.did) if what not in gcm.did[:at]]
    assert did == [
        *("phase 5", "finishsweep", "reset 2", "helpgc 2", "harvest", "start", "roots", "drain", "phase 0", "join"),
        *("marked", "arm"),
    ]


def test_gc_counts_its_goroutine_as_waiting(bench: Bench) -> None:
    """So that its stack is scanned like the others'; afterwards it runs again."""
    gcm = stopped(bench)
    nodes = bench.chain(3)
    bench.frame(gcm.curg, nodes[0])

    gcm.gc_m()

    assert bench.marked(*nodes) == [True] * 3
    assert gcm.readgstatus(gcm.curg) == GRUNNING


def test_gc_takes_what_ms_have_cached(bench: Bench) -> None:
    """What a barrier has shaded and nobody else knows of is scanned, and its children with it."""
    child = bench.leaf()
    p = bench.obj(child)
    m = bench.start(bench.mutators[0])
    bench.phase(GCmark)
    m.shade(p)
    m.entersyscall()
    gcm = stopped(bench, CollectorM)

    gcm.gc_m()

    assert bench.marked(p, child) == [True, True]
    assert bench.look.cache(m.record) == 0
    assert gcm.cycle.harvested_markterm == 1


def test_every_goroutine_is_scanned_again(bench: Bench) -> None:
    """Whoever has run since the scan phase; one that has not keeps its valid scan."""
    ran, slept = bench.chain(2), bench.chain(2)
    bench.frame(bench.mutators[0].curg, ran[0])
    bench.frame(bench.mutators[1].curg, slept[0])
    bench.machine.poke(bench.mutators[1].curg + G.gcscanvalid, 1)
    gcm = stopped(bench, CollectorM)

    gcm.gc_m()

    assert bench.marked(*ran, *slept) == [True, True, False, False]
    assert [bench.g(m.curg, "gcworkdone") for m in bench.mutators] == [1, 1]


class Planting(CollectorM):
    """Makes a mistake when everything has been drained."""

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Drain, then make it."""
        left = super().scanblock(b, n, ptrmask, wbuf)
        return left if b else self.mistake()

    def mistake(self) -> int:
        """None."""
        return 0


class KeepsBuffer(Planting):
    """Comes back with a buffer."""

    def mistake(self) -> int:
        """One."""
        return self.getempty(460)


class LeavesFull(Planting):
    """Leaves work on full."""

    def mistake(self) -> int:
        """A buffer with an entry."""
        b = self.getempty(359)
        self.port.words[b + NOBJ] = 1
        self.putfull(b, 947)
        return 0


class LeavesPartial(Planting):
    """Leaves work on partial, as a barrier does that comes after the waiters' last look (O-2)."""

    def mistake(self) -> int:
        """A buffer with an entry."""
        b = self.getempty(359)
        self.port.words[b + NOBJ] = 1
        self.putpartial(b, 1191)
        return 0


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (KeepsBuffer, "gc does not extinguish wbuf"),
        (LeavesFull, "work.full != 0"),
        (LeavesPartial, "work.partial != 0"),
    ],
)
def test_the_last_checks(bench: Bench, cls: type[Planting], text: str) -> None:
    """Nothing in the hand, nothing on full, nothing on partial: Go's own three, two of them half of I7."""
    with pytest.raises(Throw) as thrown:
        stopped(bench, cls).gc_m()

    assert thrown.value.text == text


def test_gcmark_m_that_keeps_a_buffer_throws(bench: Bench) -> None:
    """The concurrent mark ends with the barrier too."""
    gcm = stopped(bench, KeepsBuffer)
    gcm.resetwork(1)

    with pytest.raises(Throw, match="gcmark_m did not extinguish wbuf"):
        gcm.gcmark_m()


@pytest.mark.parametrize("wbufsize", [8, 72, 104, 255, 260])
def test_gcinit_throws_at_a_buffer_size_that_will_not_do(wbufsize: int) -> None:
    """Whole words, a header, and five entries at least."""
    with pytest.raises(Throw) as thrown:
        gcinit(wbufsize)

    assert thrown.value.text == "size of Workbuf is suboptimal"
    with pytest.raises(Throw, match="size of Workbuf is suboptimal"):
        Bench(wbufsize=wbufsize)


def test_the_statistics_are_summed_over_all_ms_and_start_again(bench: Bench) -> None:
    """The five counters, parfor's added to them; a mark that nobody helped counts nothing itself."""
    for at, m in enumerate((bench.gcm, *bench.mutators, *bench.helpers)):
        for k, name in enumerate(GCSTATS):
            bench.machine.poke(m.record + MLOCAL.offsets[name], 10**at * (k + 1))
    gcm = stopped(bench)

    gcm.gc_m()

    assert {name: gcm.cycle.gcstats[name] for name in GCSTATS} == {
        name: 1111 * (k + 1) for k, name in enumerate(GCSTATS)
    }
    assert all(bench.peek(m.record + MLOCAL.offsets[name]) == 0 for m in bench.mutators for name in GCSTATS)


@pytest.mark.parametrize(
    ("percent", "heap", "minimum", "goal"),
    [
        (100, 1000, 0, 2000),
        (50, 1000, 0, 1500),
        (100, 1000, 4000, 4000),
        (200, 1000, 4000, 4000),
        (50, 1000, 4000, 4000),
        (-1, 1000, 0, 2000),
        (-1, 1000, 4000, 4000),
    ],
)
def test_the_next_goal_is_what_gogc_says_but_not_too_small(percent: int, heap: int, minimum: int, goal: int) -> None:
    """The heap grown by GOGC percent; the least goal is the same for all; off counts as 100."""
    bench = Bench(gcpercent=percent, heapminimum=minimum)

    assert bench.gcm.nextgoal(heap) == goal


@pytest.mark.parametrize("by", [8, -8])
def test_a_heap_that_is_not_what_was_counted_throws(bench: Bench, by: int) -> None:
    """Go counts again for the gctrace line."""
    gcm = stopped(bench)
    bench.setbss(*(bench.leaf() for _ in range(3)))
    # What lies in an mcache is counted by its flush, in mark termination.
    bench.port.xadd(bench.world.heap.mstats + MSTATS.heap_alloc, by)

    with pytest.raises(Throw) as thrown:
        gcm.gc_m()

    heap = bench.peek(bench.world.heap.mstats + MSTATS.heap_alloc)
    assert str(thrown.value) == f"runtime: mstats skew: heap={heap}/{heap - by}\nfatal error: mstats skew"


def test_a_mark_sets_the_next_goal_by_the_heap_it_found() -> None:
    """And remembers what the heap was meant to be and what it is."""
    bench = Bench(heapminimum=1 << 10)
    bench.setbss(*(bench.obj(words=1 << 10) for _ in range(5)))
    gcm = stopped(bench)
    bench.machine.poke(bench.world.heap.mstats + MSTATS.next_gc, 48 << 10)

    gcm.gc_m()

    assert (gcm.cycle.heap0, gcm.cycle.heap1) == (24 << 10, 40 << 10)
    assert bench.peek(bench.world.heap.mstats + MSTATS.next_gc) == 80 << 10


def test_after_gc_the_sweeper_frees_what_was_not_marked(bench: Bench) -> None:
    """And clears the marks of what was."""
    kept, lost = bench.chain(5), bench.chain(5)
    bench.setbss(kept[0])
    gcm = stopped(bench)

    gcm.gc_m()
    assert bench.allocated(*kept, *lost) == [True] * 10
    gcm.bgsweep()

    assert bench.allocated(*kept, *lost) == [True] * 5 + [False] * 5
    assert bench.marked(*kept) == [False] * 5
    assert bench.peek(bench.world.heap.mstats + MSTATS.nfree) == 5


def test_the_phase_is_off_afterwards(bench: Bench) -> None:
    """Whatever it was before."""
    gcm = stopped(bench)
    phases: list[int] = []
    gcm.marked = lambda: phases.append(bench.peek(bench.world.gcphase))

    gcm.gc_m()

    assert phases == [GCoff]


def test_a_collection_is_remembered(bench: Bench) -> None:
    """Its pause and its end, newest first, then the last end, the number of collections, all pauses together."""
    gcm = stopped(bench)
    for ns, end in ((5, 100), (7, 200), (11, 300)):
        gcm.recordpause(ns, end)

    assert gcm.readGCStats_m(PAUSES + 3) == [11, 7, 5, 300, 200, 100, 300, 3, 23]

    gcm.gc_m()
    assert bench.peek(bench.world.memstats + MEMSTATS.numgc) == 4
    assert gcm.readGCStats_m(1000)[1:4] == [11, 7, 5]


def test_the_last_256_collections_are_remembered(bench: Bench) -> None:
    """A ring; the totals are of all."""
    for i in range(1, PAUSES + 11):
        bench.gcm.recordpause(i, 10 * i)

    found = bench.mutators[0].readGCStats_m(2 * PAUSES + 3)

    newest = range(PAUSES + 10, 10, -1)
    total = sum(range(PAUSES + 11))
    assert found == [*newest, *(10 * i for i in newest), 10 * (PAUSES + 10), PAUSES + 10, total]


def test_no_collection_is_nothing_to_remember(bench: Bench) -> None:
    """Three totals, all 0."""
    assert bench.gcm.readGCStats_m(PAUSES + 3) == [0, 0, 0]


def test_too_little_room_for_the_pauses_throws(bench: Bench) -> None:
    """By Go's count: the pauses once, and three more."""
    with pytest.raises(Throw) as thrown:
        bench.gcm.readGCStats_m(PAUSES + 2)

    assert str(thrown.value) == "fatal error: short slice passed to readGCStats"


def test_a_verifying_mark_does_not_count(bench: Bench) -> None:
    """Neither as a pause nor in the cycle's figures."""
    m = bench.start(bench.mutators[0])
    bench.phase(GCmark)
    m.shade(bench.leaf())
    m.entersyscall()
    gcm = stopped(bench)
    gcm.checkmark_enabled = True

    gcm.gc_m()
    first = (dict(gcm.cycle.stamps), dict(gcm.cycle.gcstats), gcm.cycle.harvested_markterm, gcm.cycle.heap0)
    gcm.gccheckmark_m()

    assert first == (gcm.cycle.stamps, gcm.cycle.gcstats, gcm.cycle.harvested_markterm, gcm.cycle.heap0)
    assert gcm.cycle.harvested_markterm == 1
    assert gcm.readGCStats_m(1000)[-2] == 1
    assert bench.peek(bench.world.runtime + RUNTIME.checkmarkphase) == 0
