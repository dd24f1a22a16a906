"""Scenario: the barrier comes after the store.  (K-28; 8f81dfe8b4.)

Between the store and the shade a black object points to a white one.  It is right because nothing in between is a
safepoint: for a stop of the world the two are one step.  `failing` has a safepoint there: the mark ends between the two,
and what was stored is lost.  Go later exchanged them all the same; `fixed-shade-first` is that order.

Modelled.  A mutator moves a white object from its stack into a black one; the collector stops the world and ends the
mark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.traverse import Traversal
from collector.faults.marking import BarrierFirst
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.heap import MARKED
from mutator.phase import GCmark
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Stoppable(Unswept):
    """Comes by a safepoint between store and shade."""

    def writebarrierptr_nostore1(self, src: int) -> None:
        """After the store."""
        self.poll()
        super().writebarrierptr_nostore1(src)


class ShadeFirst(BarrierFirst, Unswept):
    """The other order."""


def stored(m: type[Unswept]) -> Program:
    """One store, and the end of the mark."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator = model.mutators[0]
        white, black = boot.mallocgc(WORD, 1), boot.mallocgc(WORD, 1)
        small.global_(0, black)
        boot.port.or8(boot.heapBitsForObject(black)[1], MARKED)
        small.running(model.gcm, mutator)
        boot.flushallmcaches()
        boot.setphase(GCmark)
        show(machine, world)

        def collects(port: Port) -> None:
            gc = m(port, world, model.gcm)
            gc.stoptheworld()
            gc.gc_m()
            Traversal(world, port.words).check()  # before what was stopped goes on
            gc.starttheworld()

        def mutates(port: Port) -> None:
            me = m(port, world, mutator)
            me.put(black, 0, white)  # its stack has forgotten it: it was the last use
            me.poll()
            me.goexit()

        machine.spawn(collects, "gc")
        machine.spawn(mutates, "mutator")

    return program


SCENARIO = Scenario(
    name="storefirst",
    title="The store may come before the shade, because nothing in between is a safepoint",
    bugs=("K-28",),
    variants={
        "failing": Variant(stored(Stoppable), fails="reachable objects are not marked"),
        "fixed": Variant(stored(Unswept)),
        "fixed-shade-first": Variant(stored(ShadeFirst)),
    },
    kind=SOUND,
)
