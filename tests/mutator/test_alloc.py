"""Allocation as programs see it: the trigger, the assist, the colour of what is new, checked access."""

from __future__ import annotations

import pytest

from collector.runtime import AuditedM
from mutator.heap import MSTATS, POISON
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.world import RUNTIME
from tests.worlds import Bench
from workbuf.machine import WORD
from workbuf.throw import Throw


class Counting(AuditedM):
    """Counts what allocation asks of the collector."""

    requests = 0
    assists = 0

    def gogc(self, force: int) -> None:
        """Count a request for a background collection."""
        assert force == 0
        self.requests += 1

    def gchelpwork(self) -> None:
        """Count an assist, which runs where no safepoint may be."""
        assert self.locks == 1
        self.assists += 1


@pytest.fixture(name="bench")
def _bench() -> Bench:
    return Bench(Counting)


@pytest.fixture(name="m")
def _m(bench: Bench) -> Counting:
    """A mutator whose goroutine runs."""
    m: Counting = bench.m(bench.model.mutators[0])
    return bench.start(m)


def setstats(bench: Bench, heap_alloc: int, next_gc: int) -> None:
    """The heap's size and its goal, in bytes."""
    bench.machine.poke(bench.world.heap.mstats + MSTATS.heap_alloc, heap_alloc)
    bench.machine.poke(bench.world.heap.mstats + MSTATS.next_gc, next_gc)


def setworking(bench: Bench) -> None:
    """A collection is under way."""
    bench.machine.poke(bench.world.runtime + RUNTIME.bggc_working, 1)


@pytest.mark.parametrize(
    ("heap_alloc", "due"), [(0, 0), (6999, 0), (7000, 1), (7999, 1), (8000, 1), (9000, 1)], ids=str
)
def test_a_collection_is_asked_for_when_an_eighth_of_the_goal_is_left(
    bench: Bench, m: Counting, heap_alloc: int, due: int
) -> None:
    """8 * (next_gc - heap_alloc) <= next_gc, and beyond the goal as well."""
    setstats(bench, heap_alloc, 8000)

    m.new(16, 0)

    assert (m.requests, m.assists) == (due, 0)


def test_gogc_off_asks_for_nothing(bench: Bench, m: Counting) -> None:
    """However large the heap is."""
    setstats(bench, 9000, 8000)
    bench.machine.poke(bench.world.runtime + RUNTIME.gcpercent, (1 << 64) - 1)

    m.new(16, 0)

    assert m.requests == 0


def test_an_allocation_that_refills_assists_while_a_collection_is_under_way(bench: Bench, m: Counting) -> None:
    """The first of a span does, the second finds the span in the mcache; nobody asks for another collection."""
    setworking(bench)
    setstats(bench, 9000, 8000)

    m.new(16, 1)
    assert m.assists == 1
    m.new(16, 1)
    assert (m.assists, m.requests, m.locks) == (1, 0, 0)


def test_a_large_allocation_assists(bench: Bench, m: Counting) -> None:
    """It has a span to itself."""
    setworking(bench)

    for n in (1, 2):
        m.new(m.max_small + 1, 1)
        assert m.assists == n


def test_no_assist_without_a_collection(m: Counting) -> None:
    """Refilling alone costs nothing."""
    m.new(16, 1)

    assert m.assists == 0


@pytest.mark.parametrize(
    ("phase", "black"), [(GCoff, False), (GCscan, False), (GCmark, False), (GCmarktermination, True)]
)
def test_new_objects_are_black_in_mark_termination(bench: Bench, m: Counting, phase: int, *, black: bool) -> None:
    """White before it; and black without a buffer, for it holds nothing yet."""
    bench.phase(phase)

    p = m.new(16, 1)

    assert bench.marked(p) == [black]
    assert bench.look.buffers() == []


def test_get_and_put_reach_words(bench: Bench, m: Counting) -> None:
    """Numbered from 0; put has the barrier."""
    p, q = m.new(3 * WORD, 0b111), m.new(WORD, 1)
    bench.phase(GCmark)

    m.put(p, 2, q)

    assert [m.get(p, i) for i in range(3)] == [0, 0, q]
    assert bench.marked(q) == [True]


def test_get_throws_at_what_has_been_freed(bench: Bench, m: Counting) -> None:
    """Sweep writes poison over it."""
    p = m.new(3 * WORD, 0b111)
    m.entersyscall()
    gcm = bench.start(bench.gcm)
    gcm.gcwork(1)
    gcm.bgsweep()
    m.exitsyscall()
    assert bench.peek(p // WORD) == POISON

    with pytest.raises(Throw) as thrown:
        m.get(p, 1)

    assert thrown.value.text == "use after free"
    assert thrown.value.printed == (f"runtime: object {p:#x} word 1 was freed",)
