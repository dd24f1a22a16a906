"""Scenario: one huge object is one piece of work.  (K-30; Go's issues 10345 and 16293, cf4f1d07a1.)

An object is scanned by the marker that takes it, alone, however many pointers it has, while the others wait.  Go cuts
objects into pieces of 128 KB: the marker that meets one queues the addresses of the others inside it.

Modelled.  An object of 48 pointers in pieces of eight, and two markers.  Counted.  Pointers that the busier one looks at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.phase import GCmark
from workbuf.buffer import NOBJ, OBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

POINTERS = 48
PIECE = 8
"""Words."""


class Counting(Unswept):
    """Counts the pointers that it looks at."""

    looked = 0

    def scanwords(self, cell: int, mask: int, base: int, wbuf: int) -> int:
        self.looked += mask.bit_count()
        return super().scanwords(cell, mask, base, wbuf)


class InPieces(Counting):
    """Scans one piece of an object, and queues the others if it meets the first."""

    def scanobject(self, b: int, wbuf: int) -> int:
        base, slots = self.pointerslots(b)
        if len(slots) <= PIECE:
            return super().scanobject(b, wbuf)
        if b == base:
            for at in range(PIECE, len(slots), PIECE):
                wbuf = self.queue(base + at * WORD, wbuf)
        return self.scanwords(b // WORD, (1 << PIECE) - 1, base, wbuf)

    def queue(self, piece: int, wbuf: int) -> int:
        """Append to the buffer, which is another one afterwards if it was full."""
        words = self.port.words
        if words[wbuf + NOBJ] == self.len_obj:
            self.putfull(wbuf, 358)
            wbuf = self.getempty(359)
        words[wbuf + OBJ + words[wbuf + NOBJ]] = piece
        words[wbuf + NOBJ] += 1
        return wbuf


def marked(m: type[Counting], figures: list[float] | None = None) -> Program:
    """`figures` is told how many pointers the busier marker has looked at."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=1, arena=4096), m)
        world, model, boot = small.world, small.model, small.boot
        huge, leaf = boot.mallocgc(POINTERS * WORD, (1 << POINTERS) - 1), boot.mallocgc(WORD, 0)
        for i in range(POINTERS):
            machine.poke(huge // WORD + i, leaf)
        small.global_(0, huge)
        boot.setphase(GCmark)
        boot.resetwork(2)
        setup = m(boot.port, world, model.gcm)
        setup.shade(huge)
        setup.harvestwbufs()
        markers = (model.gcm, *model.helpers)
        looked = machine.alloc(len(markers), "looked at")
        show(machine, world)

        def marks(port: Port, number: int) -> None:
            me = m(port, world, markers[number])
            me.scanblock(0, 0, 0, 0)
            port.store(looked + number, me.looked)

        for number in range(len(markers)):
            machine.spawn(lambda port, number=number: marks(port, number), f"marker{number}")  # type: ignore[misc]

        def check() -> None:
            counts = [machine.peek(looked + number) for number in range(len(markers))]
            assert sum(counts) == POINTERS, "a pointer was not looked at once"
            small.keepsall()
            if figures is not None:
                figures.append(max(counts))

        return check

    return program


SCENARIO = Scenario(
    name="hugeobject",
    title="One marker scans a huge object while the others wait",
    bugs=("K-30", "#10345"),
    variants={
        "seed": Variant(marked(Counting), exhaustible=False),
        "fixed": Variant(marked(InPieces), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "pointers, of an object's 48, that the busier of two markers looks at",
            seed=lambda figures: marked(Counting, figures),
            fix=lambda figures: marked(InPieces, figures),
        ),
    ),
)
