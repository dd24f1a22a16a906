"""Scenario: the write barrier is off between the concurrent mark and mark termination.  (K-2; S12.)

The seed's third stop of the world sets the phase to off; pools are cleared and statistics updated before gc() sets mark
termination.  What the runtime stores in that window is not shaded: a pointer that leaves a stack for a heap object that
is black already is seen by nobody.  Go's fix (d0eab03091): the barrier stays on, and nothing is cleared in between.

Modelled.  A whole concurrent collection.  During the mark a program has allocated an object, white as all are then, and
keeps it on its stack, which is scanned already; in the window the collector's thread moves it from there into a black
object.  Not modelled.  Go's pools themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.world import BarrierOffBetween
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import Scenario, Variant
from mutator.world import GWAITING, MRECORD, G
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Moving(Unswept):
    """Moves a new object from the stack slot `taken` into the first word of the object `into`, in the window."""

    taken = into = 0

    def gcmark_m(self) -> None:
        """The program's allocation, and the mark."""
        self.port.words[self.taken] = self.mallocgc(WORD, 1)
        super().gcmark_m()

    def gc_m(self, *, eager: bool = False) -> None:
        """Just before gc(), where the seed clears its pools."""
        words = self.port.words
        self.put(self.into, 0, words[self.taken])
        words[self.taken] = 0
        super().gc_m(eager=eager)


class Seed(BarrierOffBetween, Moving):
    """With the phase off."""


def window(m: type[Moving]) -> Program:
    """A blocked goroutine with one slot, and an object that a global leads to."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        gp = machine.peek(model.mutators[0] + MRECORD.curg)
        slot = boot.pushframe(gp, 1, boot.stackmap(1, [0]))
        pool = boot.mallocgc(WORD, 1)
        small.global_(0, pool)
        small.running(model.gcm)
        machine.poke(gp + G.status, GWAITING)
        boot.flushallmcaches()
        show(machine, world)

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            me.taken, me.into = slot, pool
            me.gcwork(0)

        machine.spawn(collects, "gc")

        def check() -> None:
            small.keepsall("what was stored in the window")

        return check

    return program


SCENARIO = Scenario(
    name="barrieroff",
    title="The barrier is off between the mark and mark termination",
    bugs=("S12", "K-2"),
    variants={
        "failing": Variant(window(Seed), fails="reachable, and not marked"),
        "fixed": Variant(window(Moving)),
    },
)
