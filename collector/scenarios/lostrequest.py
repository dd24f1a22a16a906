"""Scenario: a goroutine takes back the request to scan itself together with an older one to stop.  (K-14; S20.)

stopg, gcworkdone and newstack have no common lock.  A goroutine that meets an old request to stop looks whether it is to
scan itself while it still runs, and can still be asked: it then takes the new request back unseen, and the collector
waits for its answer for as long as it runs.  In Go it was a hang of TestTraceStress.  Go's scang (3c60e6e8cf) asks again
in every state; here newstack looks only when it no longer runs, too, and either remedy is enough.

A stack that is scanned twice, the other outcome, is harmless: both scans hold the bit, one after the other.

Modelled.  A goroutine with an old request to stop, which polls in a loop, and the collector that asks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCscan
from mutator.world import GRUNNABLE, GRUNNING, MRECORD, STACK_PREEMPT, G
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Hasty(CollectorM):
    """Looks whether it is to scan itself while it still runs, and can still be asked."""

    def newstack(self) -> None:
        gp = self.curg
        if self.port.hint(gp + G.preemptscan):
            super().newstack()
            return
        self.casgstatus(gp, GRUNNING, GRUNNABLE)
        self.gcstopm()
        self.unpreempt(gp)
        self.casgstatus(gp, GRUNNABLE, GRUNNING)


class AskedOnce(Hasty):
    """And is asked once only."""

    def asked(self, gp: int) -> bool:
        del gp
        return True


def stale(m: type[CollectorM]) -> Program:
    """A goroutine meets a request to stop that is over while the collector asks it to scan itself; it never blocks."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = model.mutators[0]
        gp = machine.peek(mutator + MRECORD.curg)
        machine.poke(world.gcphase, GCscan)
        machine.poke(gp + G.stackguard, STACK_PREEMPT)
        small.running(model.gcm, mutator)
        over = machine.word(0, "over")
        show(machine, world)

        def collects(port: Port) -> None:
            m(port, world, model.gcm).scangoroutine(gp)
            port.store(over, 1)

        def mutates(port: Port) -> None:
            me = m(port, world, mutator)
            while not port.load(over):
                me.poll()
                port.pause(Pause.PROCYIELD, 1)

        machine.spawn(collects, "gc")
        machine.spawn(mutates, "mutator")

    return program


SCENARIO = Scenario(
    name="lostrequest",
    title="A goroutine takes back a request to scan itself that it has not seen",
    bugs=("S20", "K-14"),
    variants={
        "failing": Variant(stale(AskedOnce), fails="round in a circle"),
        "fixed": Variant(stale(CollectorM), exhaustible=False),
        "fixed-asked-again": Variant(stale(Hasty), exhaustible=False),
    },
)
