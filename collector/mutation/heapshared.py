"""A heap as in `heapworld` that two or three Ms use at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collector.mutation.heapworld import GOAL, heap
from mutator.heap import (
    FIN,
    FINBLOCK,
    MARKED,
    MSTATS,
    SPAN,
    SPECIAL,
    HeapLocal,
)
from mutator.heap.audit import audit
from workbuf.boot import BootPort
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

FN = WORD
"""A closure outside of the heap."""


class Shared:
    """A heap under construction, and the Ms that will run on it."""

    def __init__(self, machine: SteppedMachine, m: type[HeapLocal], pages: int = 8) -> None:
        self.machine = machine
        self.m = m
        self.world, self.records = heap(machine, pages, ms=3)
        self.boot = m(BootPort(machine), self.world, self.records[0])

    def spans(self, n: int) -> list[list[int]]:
        """The objects of that many full spans."""
        return [[self.boot.mallocgc(16, 1) for _ in range(4)] for _ in range(n)]

    def collected(self, *live: int) -> None:
        """A mark that has found these; nothing is swept yet."""
        boot = self.boot
        boot.flushallmcaches()
        boot.finishsweep_m()
        for p in live:
            boot.port.or8(boot.heapBitsForObject(p)[1], MARKED)
        self.machine.poke(self.world.heap.mstats + MSTATS.next_gc, GOAL)
        boot.arm_sweep()

    def run(self, *does: Callable[[HeapLocal], object]) -> None:
        """An M for each."""
        for number, (record, each) in enumerate(zip(self.records, does, strict=False)):
            self.machine.spawn(partial(self.runs, record, each), f"m{number}")

    def runs(self, record: int, does: Callable[[HeapLocal], object], port: Port) -> None:
        """One of them."""
        does(self.m(port, self.world, record))

    def stat(self, field: str) -> int:
        """A word of MSTATS."""
        return self.machine.peek(self.world.heap.mstats + MSTATS.offsets[field])

    def wellkept(self) -> None:
        """The heap adds up."""
        wrong = audit(self.machine, self.world.heap, marks=True)
        assert not wrong, wrong[0]

    def specials(self, p: int) -> dict[int, tuple[int, int]]:
        """The specials of the span that holds `p`: whose each is, and of what kind."""
        peek, span = self.machine.peek, self.boot.spanOf(p)
        return {
            special: (peek(span + SPAN.start) + peek(special + SPECIAL.offset), peek(special + SPECIAL.kind))
            for special in self.boot.specials(span)
        }

    def queue(self) -> list[tuple[int, int]]:
        """What is queued: closures and objects."""
        peek = self.machine.peek
        counted = (entries(block, peek(block + FINBLOCK.cnt)) for block in self.boot.finblocks())
        return [(peek(entry + FIN.fn), peek(entry + FIN.arg)) for each in counted for entry in each]


def sweepall(me: HeapLocal) -> None:
    """Sweep, span by span, until nothing is left."""
    while me.sweepone() >= 0:
        pass


def entries(block: int, count: int) -> list[int]:
    """The cells of the first entries of a block of the queue."""
    return [block + FINBLOCK.size + at * FIN.size for at in range(count)]
