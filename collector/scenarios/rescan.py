"""Scenario: stacks are scanned again while their goroutines run, as in go-weave's rescan.go.

At the end of the mark stacks are scanned again, one at a time, while mutators run.  A mutator publishes what its stack
points to in an object, and loads a pointer from an object onto its stack.  A stack whose scan is over may so come to
hold what only an unscanned one held before.  A barrier that marks what is published, with all that it leads to, is
enough.

Modelled.  Two mutators, a global and two heap objects of one slot; the end of the scan stops the world.  Not modelled.
Barriers that run at the same time: a mutator's step is one for the others; go-weave's second barrier, which makes the
scan begin anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

GLOBAL, HEAP, STACKS = 1, (2, 3), (4, 5)
"""Objects by number; 0 is nil.  Each has one slot; a stack's is its one pointer."""
OBJECTS = 6


class Heap:
    """The slots and the marks, and the lock of the world."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.slots = machine.alloc(OBJECTS, "slots")
        self.marks = machine.alloc(OBJECTS, "marks")
        self.world = machine.word(0, "world")
        for obj, to in zip(STACKS, HEAP, strict=True):
            machine.poke(self.slots + obj, to)
        machine.poke(self.marks + GLOBAL, 1)


class Unmarked:
    """No barrier.  One thread's view: it takes the world's lock for each of its steps."""

    def __init__(self, port: Port, heap: Heap) -> None:
        self.port = port
        self.heap = heap

    def mark(self, p: int) -> None:
        """Mark what `p` leads to, transitively."""
        port, heap = self.port, self.heap
        while p and not port.words[heap.marks + p]:
            port.words[heap.marks + p] = 1
            p = port.words[heap.slots + p]

    def publish(self, stack: int, into: int) -> None:
        """Store the stack's pointer in an object."""
        p = self.port.words[self.heap.slots + stack]
        self.barrier(p)
        self.port.words[self.heap.slots + into] = p

    def barrier(self, p: int) -> None:
        """Before `p` is published."""

    def mutate(self, stack: int) -> None:
        """Publish, then load from anywhere reachable."""
        port, heap = self.port, self.heap
        port.lock(heap.world)
        into = (GLOBAL, port.words[heap.slots + GLOBAL])[port.choose(2)]
        if into:
            self.publish(stack, into)
        port.unlock(heap.world)
        port.lock(heap.world)
        port.words[heap.slots + stack] = port.words[heap.slots + GLOBAL] if port.choose(2) else 0
        port.unlock(heap.world)

    def scan(self) -> None:
        """Every stack again, then the end of the mark."""
        port, heap = self.port, self.heap
        for stack in STACKS:
            port.lock(heap.world)
            self.mark(port.words[heap.slots + stack])
            port.unlock(heap.world)
        port.lock(heap.world)
        for root in (GLOBAL, *STACKS):
            p = port.words[heap.slots + root]
            assert not p or port.words[heap.marks + p], f"object {p} is reachable and not marked"
        port.unlock(heap.world)


class Marks(Unmarked):
    """Marks what is published."""

    def barrier(self, p: int) -> None:
        self.mark(p)


def rescan(kind: type[Unmarked]) -> Program:
    """Two mutators under that barrier, and the scan."""

    def program(machine: SteppedMachine) -> None:
        heap = Heap(machine)
        machine.spawn(lambda port: kind(port, heap).scan(), "gc")
        for i, stack in enumerate(STACKS):
            machine.spawn(lambda port, stack=stack: kind(port, heap).mutate(stack), f"mutator{i}")  # type: ignore[misc]

    return program


SCENARIO = Scenario(
    name="rescan",
    title="Stacks scanned again while their goroutines run need a barrier on what they publish",
    bugs=("S25",),
    variants={
        "failing": Variant(rescan(Unmarked), fails="reachable and not marked"),
        "fixed": Variant(rescan(Marks), exhaustible=False),
    },
    originals={"fixed": (0, 20_000)},
)
