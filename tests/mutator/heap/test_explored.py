"""The heap on the stepped machine: who allocates and who sweeps may interleave as they like, and planted faults are found.

The heap is tiny: pages of 64 bytes, four objects of 16 bytes a span.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from mutator.heap import ALLOCATED, MARKED, MSTATS, SPAN, Heap, HeapLocal
from mutator.heap.audit import audit
from mutator.phase import GCmark
from mutator.world import World
from workbuf.machine import MASK64, WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

SCHEDULES = 300


class Unfenced(HeapLocal):
    """Becomes the sweeper of a span by a load and a store instead of a compare-and-swap."""

    def _acquire(self, span: int, unswept: int) -> bool:
        if self.port.hint(span + SPAN.sweepgen) != unswept:
            return False
        self.port.store(span + SPAN.sweepgen, unswept + 1)
        return True


class Hasty(HeapLocal):
    """Stores a span's sweepgen before its list is right."""

    def mcentral_freespan(self, span: int, *, wasfull: bool, preserve: bool) -> bool:
        """Say too early that the span can be used."""
        self.port.store(span + SPAN.sweepgen, self.sweepgen())
        return super().mcentral_freespan(span, wasfull=wasfull, preserve=preserve)


class Torn:
    """A port whose OR into a byte is a load and a store of its whole word."""

    def __init__(self, port: Port) -> None:
        self.port = port

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def or8(self, byte: int, mask: int) -> None:
        """Let others in between."""
        word = self.port.hint(byte // WORD)
        self.port.post(byte // WORD, word | mask << byte % WORD * 8)


def small_heap(machine: SteppedMachine) -> tuple[Heap, World, list[int]]:
    """Eight pages, and three Ms."""
    heap = Heap.allocate(machine, 64 * 8, page_size=64, max_small=32, metachunk=32, finblock=64)
    world = World.make(machine, heap, markfor=0, ms=3, gs=1)
    return heap, world, [world.newm(f"m{i}") for i in range(3)]


def sweeping(machine: SteppedMachine, cls: type[HeapLocal]) -> Callable[[], object]:
    """One M allocates what another one sweeps free: of six objects one is alive and one has a finalizer; four die."""
    heap, world, records = small_heap(machine)
    live: list[int] = []

    def allocate(port: Port) -> None:
        m = cls(port, world, records[1])
        live.extend(m.mallocgc(16, 1) for _ in range(3))

    def sweep(port: Port) -> None:
        m = cls(port, world, records[2])
        while m.sweepone() >= 0:
            pass

    def first(port: Port) -> None:
        m = cls(port, world, records[0])
        objects = [m.mallocgc(16, 1) for _ in range(6)]
        m.setfinalizer(objects[1], 8)
        m.flushallmcaches()
        port.or8(m.heapBitsForObject(objects[0])[1], MARKED)
        port.words[heap.mstats + MSTATS.next_gc] = 1 << 20
        m.arm_sweep()
        live.extend(objects[:2])
        port.spawn(allocate, "allocate")
        port.spawn(sweep, "sweep")

    machine.spawn(first, "first")

    def check() -> None:
        assert len(set(live)) == 5, "one slot was given out twice"
        assert audit(machine, heap) == []

    return check


def marking(machine: SteppedMachine, wrap: Callable[[Port], Any]) -> Callable[[], object]:
    """One M allocates beside an object that another one marks."""
    _, world, records = small_heap(machine)
    marked: list[int] = []

    def allocate(port: Port) -> None:
        m = HeapLocal(wrap(port), world, records[0])
        for _ in range(2):
            m.mallocgc(16, 1)

    def first(port: Port) -> None:
        m = HeapLocal(port, world, records[0])
        _, hbits, _ = m.heapBitsForObject(m.mallocgc(16, 1))
        marked.append(hbits)
        port.words[world.gcphase] = GCmark
        port.spawn(allocate, "allocate")
        port.spawn(lambda other: other.or8(hbits, MARKED), "mark")

    machine.spawn(first, "first")

    def check() -> None:
        word = machine.peek(marked[0] // WORD) >> marked[0] % WORD * 8 & MASK64
        assert word == (ALLOCATED | MARKED) | ALLOCATED << 8 | ALLOCATED << 16, "a bit was lost"

    return check


@pytest.mark.parametrize("strategy", ["pct", "pos"])
def test_allocation_and_sweep_may_interleave_as_they_like(strategy: str) -> None:
    """Slots are given out once, and in the end the heap adds up."""
    result = explore(partial(sweeping, cls=HeapLocal), strategy, schedules=SCHEDULES)

    assert result.failure is None, result.failure
    assert result.schedules == SCHEDULES


def test_every_order_of_an_allocation_and_a_mark_keeps_all_bits() -> None:
    """Eight objects share a word: all interleavings are run."""
    result = explore(partial(marking, wrap=lambda port: port), "exhaustive")

    assert result.failure is None, result.failure
    assert result.exhausted


def test_bits_stored_by_the_word_are_lost() -> None:
    """What the atomic OR is for."""
    result = explore(partial(marking, wrap=Torn), "exhaustive")

    assert result.failure is not None
    assert "a bit was lost" in result.failure.message


@pytest.mark.parametrize(("cls", "strategy"), [(Unfenced, "exhaustive"), (Hasty, "pos")], ids=["Unfenced", "Hasty"])
def test_a_faulty_sweep_is_found(cls: type[HeapLocal], strategy: str) -> None:
    """Two sweepers of one span, or one that is used while it is being given back: the heap's own throws see both."""
    result = explore(partial(sweeping, cls=cls), strategy, schedules=4000, shrink=False, races=False)

    assert result.failure is not None
    assert result.failure.kind == "throw"
