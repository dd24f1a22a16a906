"""Scenario: one participant of the termination barrier is stuck, and all others wait for it for ever.  (K-22; S7, O-11.)

The barrier has no time-out: while one participant does not come, nobody's mark ends.  In Go's issue 18925 helpers spun
on a goroutine that would not be scanned, and 26 others waited in getfull.  Here it is the seed's scan of a goroutine in
a system call (O-11).  What mends it is a scan that ends, as the default's does; the barrier stays as it is.

Modelled.  Two participants, of which one executes the only root job left, that goroutine's stack, before it comes to
getfull.  The system call ends after the mark only: it waits for the collector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.pool import decides_nothing
from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.scenarios.scansyscall import Retrying, Watched
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCmarktermination
from mutator.world import GSYSCALL, MRECORD, G


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class SpinsOnSyscall(Retrying):
    """The seed's scan, which was asked while the goroutine still ran."""

    def stopg(self, gp: int) -> bool:
        """It was running then."""
        return self.readgstatus(gp) != GSYSCALL and super().stopg(gp)


def mark(m: type[Watched]) -> Program:
    """A goroutine in a system call, whose stack is a root; two participants mark."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        world, model, boot = small.world, small.model, small.boot
        gp = machine.peek(model.mutators[0] + MRECORD.curg)
        slot = boot.pushframe(gp, 1, boot.stackmap(1, [0]))
        machine.poke(slot, small.objects([[1], []])[0])
        machine.poke(gp + G.status, GSYSCALL)
        boot.setphase(GCmarktermination)
        boot.resetwork(2)
        scanning = machine.word(0, "scanning")
        decides_nothing(machine, [], [model.gcm, *model.helpers])
        show(machine, world)

        def scans(port: Port) -> None:
            me = m(port, world, model.gcm, scanning)
            me.scangoroutine(gp)
            me.scanblock(0, 0, 0, 0)

        machine.spawn(scans, "m0")
        machine.spawn(lambda port: m(port, world, model.helpers[0], scanning).scanblock(0, 0, 0, 0), "m2")

    return program


SCENARIO = Scenario(
    name="stuck",
    title="One stuck participant of the barrier stalls all others",
    bugs=("S7", "K-22"),
    variants={
        "failing": Variant(mark(SpinsOnSyscall), fails="round in a circle"),
        "fixed": Variant(mark(Watched), exhaustible=False),
    },
)
