"""Scenario: four write barriers, with and without the stack scans they need, as in go-weave's yuasa.go.  (S25.)

Two mutators, each with one stack slot, move pointers between their stacks, a global and three heap objects of two slots;
the collector scans both stacks and the global, then drains in any order, then stops the world, drains what is left and
compares with what is reachable.  A mutator holds its stack's lock between loading a pointer and storing it: it is not at a
safepoint.

    dijkstra      shade what is stored          needs the stacks scanned again in the stopped world
    yuasa         shade what is overwritten     needs every stack scanned before the heap
    hybrid        both                          needs neither
    conditional   both, the former only while some stack is unscanned

Not modelled.  go-weave's world lock around a mutator's two steps, in which its own Dijkstra configuration deadlocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

OBJECTS, SLOTS, MUTATORS, WRITES = 3, 2, 2, 2
WHITE, GREY, BLACK = range(3)


class Heap:
    """The model's memory: pointers are object numbers from 1, 0 is nil."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.slots = [[machine.word(0, f"h{o}.{s}") for s in range(SLOTS)] for o in range(OBJECTS)]
        self.colours = [machine.word(WHITE, f"h{o}.colour") for o in range(OBJECTS)]
        self.root = machine.word(1, "global")
        self.stacks = [machine.word(0, f"stack{i}") for i in range(MUTATORS)]
        self.locks = [machine.word(0, f"stack{i}.lock") for i in range(MUTATORS)]
        self.unscanned = machine.word(MUTATORS, "unscanned")
        machine.poke(self.slots[0][0], 2)
        machine.poke(self.stacks[0], 3)  # reachable from a stack alone

    def shade(self, port: Port, p: int) -> None:
        """White to grey."""
        if p:
            port.cas(self.colours[p - 1], WHITE, GREY)


class Dijkstra:
    """The mutator's and the collector's halves; the other barriers are subclasses."""

    rescan = True
    stacks_first = True

    def __init__(self, heap: Heap) -> None:
        self.heap = heap

    def barrier(self, port: Port, old: int, new: int) -> None:
        """Before `new` is stored over `old`."""
        del old
        self.heap.shade(port, new)

    def mutate(self, port: Port, me: int, writes: Iterable[int]) -> None:
        """For each of `writes`: load a pointer onto the stack, store the stack's pointer somewhere reachable."""
        heap = self.heap
        for _ in writes:
            port.lock(heap.locks[me])
            base = port.load(heap.stacks[me]) or port.load(heap.root)
            # What is reachable from here in one step, the global, and the stack as it is.
            sources = [heap.stacks[me], heap.root, *(heap.slots[base - 1] if base else ())]
            port.store(heap.stacks[me], port.load(sources[port.choose(len(sources))]))
            targets = [heap.root, *(heap.slots[base - 1] if base else ())]
            target = targets[port.choose(len(targets))]
            new = port.load(heap.stacks[me]) if port.choose(2) else 0
            self.barrier(port, port.load(target), new)
            port.store(target, new)
            port.unlock(heap.locks[me])

    def collect(self, port: Port) -> None:
        """Mark, and see in the stopped world whether everything reachable is marked."""
        heap = self.heap
        if self.stacks_first:
            self.scanstacks(port)
            heap.shade(port, port.load(heap.root))
        else:
            heap.shade(port, port.load(heap.root))
            self.drain(port)
            self.scanstacks(port)
        self.drain(port)
        for lock in heap.locks:
            port.lock(lock)
        if self.rescan:
            for stack in heap.stacks:
                heap.shade(port, port.load(stack))
            heap.shade(port, port.load(heap.root))
        self.drain(port)
        self.verify(port)
        for lock in heap.locks:
            port.unlock(lock)

    def scanstacks(self, port: Port) -> None:
        """One after the other, each while its mutator is at a safepoint."""
        heap = self.heap
        for lock, stack in zip(heap.locks, heap.stacks, strict=True):
            port.lock(lock)
            heap.shade(port, port.load(stack))
            port.xadd(heap.unscanned, -1)
            port.unlock(lock)

    def drain(self, port: Port) -> None:
        """Scan grey objects, in any order, until there is none."""
        heap = self.heap
        while True:
            grey = [o for o in range(OBJECTS) if port.load(heap.colours[o]) == GREY]
            if not grey:
                return
            o = grey[port.choose(len(grey))]
            for slot in heap.slots[o]:
                heap.shade(port, port.load(slot))
            port.store(heap.colours[o], BLACK)

    def verify(self, port: Port) -> None:
        """Nothing reachable is white.  The world is stopped."""
        heap = self.heap
        todo = [port.load(at) for at in (heap.root, *heap.stacks)]
        seen = set()
        while todo:
            p = todo.pop()
            if p and p not in seen:
                seen.add(p)
                assert port.load(heap.colours[p - 1]) != WHITE, f"object {p} is reachable and white"
                todo += [port.load(slot) for slot in heap.slots[p - 1]]


class DijkstraNoRescan(Dijkstra):
    """Without the second look at the stacks."""

    rescan = False


class Yuasa(Dijkstra):
    """Shades what a store deletes; the snapshot at the beginning stays marked."""

    rescan = False

    def barrier(self, port: Port, old: int, new: int) -> None:
        del new
        self.heap.shade(port, old)


class YuasaHeapFirst(Yuasa):
    """Scans stacks when part of the heap is black already."""

    stacks_first = False


class Hybrid(Dijkstra):
    """Both barriers, and no second look."""

    rescan = False
    stacks_first = False

    def barrier(self, port: Port, old: int, new: int) -> None:
        self.heap.shade(port, old)
        self.heap.shade(port, new)


class Conditional(Hybrid):
    """Shades what is stored only while some stack is unscanned."""

    def barrier(self, port: Port, old: int, new: int) -> None:
        self.heap.shade(port, old)
        if port.load(self.heap.unscanned):
            self.heap.shade(port, new)


def yuasa(kind: type[Dijkstra]) -> Program:
    """Two mutators and a collector under that barrier."""

    def program(machine: SteppedMachine) -> Callable[[], object] | None:
        model = kind(Heap(machine))
        machine.spawn(model.collect, "gc")
        for i in range(MUTATORS):
            writes = machine.optional(range(WRITES))
            machine.spawn(lambda port, i=i, writes=writes: model.mutate(port, i, writes), f"mutator{i}")  # type: ignore[misc]
        return None

    return program


SCENARIO = Scenario(
    name="yuasa",
    title="What each write barrier needs, and what is lost without it",
    bugs=("S25", "17503"),
    variants={
        "failing": Variant(yuasa(DijkstraNoRescan), fails="reachable and white", exhaustible=False),
        "failing-yuasa-heap-first": Variant(yuasa(YuasaHeapFirst), fails="reachable and white", exhaustible=False),
        "fixed": Variant(yuasa(Dijkstra), exhaustible=False),
        "fixed-yuasa": Variant(yuasa(Yuasa), exhaustible=False),
        "fixed-hybrid": Variant(yuasa(Hybrid), exhaustible=False),
        "fixed-conditional": Variant(yuasa(Conditional), exhaustible=False),
    },
    originals={
        "failing": (5, 20_000),
        "failing-yuasa-heap-first": (9, 20_000),
        "fixed-yuasa": (0, 20_000),
        "fixed-conditional": (0, 20_000),
    },
)
