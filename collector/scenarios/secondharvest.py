"""Scenario: a second harvest and drain at the end of the concurrent mark, while mutators run.  (K-5, O-10.)

A TODO of the seed at the end of gcmark_m: harvest again, reset the counters, repeat.  It is right, exhausted: a mutator
takes and leaves its cached buffer by exchanges, so a harvest that does not stop it gets whole buffers; what it shades
afterwards is harvested in mark termination.  `failing` leaves the reset out: nwait is past nproc, and the second drain
never ends.  What the second harvest saves is counted in hiddenlist.

Modelled.  The head of a list in a mutator's cache, which shades one more object meanwhile; two drains, the stop, mark
termination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import decides_nothing
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCmark
from workbuf.local import WORK


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Repeats(Unswept):
    """gcmark_m as the TODO has it."""

    def gcmark_m(self) -> None:
        super().gcmark_m()
        self.harvestwbufs()
        self.reset()
        super().gcmark_m()

    def reset(self) -> None:
        """Open the barrier again: nobody else is in it."""
        self.port.store(self.work + WORK.nwait, 0)


class Unreset(Repeats):
    """Without the counters."""

    def reset(self) -> None:
        """Nothing."""


def repeated(m: type[Repeats]) -> Program:
    """A mark with two drains."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator = model.mutators[0]
        head, other = small.objects([[2], [2], []])[:2]
        small.global_(0, head)
        small.running(model.gcm, mutator)
        boot.flushallmcaches()
        boot.setphase(GCmark)
        boot.resetwork(1)
        m(boot.port, world, mutator).shade(head)
        decides_nothing(machine, [], [model.gcm, mutator])
        show(machine, world)

        def collects(port: Port) -> None:
            gc = m(port, world, model.gcm)
            gc.gcmark_m()
            gc.stoptheworld()
            gc.gc_m()
            gc.starttheworld()

        def shades(port: Port) -> None:
            me = m(port, world, mutator)
            me.writebarrierptr(world.bss.slot(0), other)
            me.poll()
            me.goexit()

        machine.spawn(collects, "gc")
        machine.spawn(shades, "mutator")

        def check() -> None:
            small.keepsall()

        return check

    return program


SCENARIO = Scenario(
    name="secondharvest",
    title="The concurrent mark may harvest again and go on, if it opens the barrier again",
    bugs=("K-5", "O-10"),
    variants={
        "failing": Variant(repeated(Unreset), fails="round in a circle"),
        "fixed": Variant(repeated(Repeats), exhaustible=False),
    },
    kind=SOUND,
)
