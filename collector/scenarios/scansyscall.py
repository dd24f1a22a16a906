"""Scenario: the collector waits for a goroutine to scan itself, which has gone into a system call.  (O-11; S20.)

The collector finds the goroutine running and asks it to scan itself at its next safepoint.  The goroutine enters a
system call instead.  The seed asks again only if it finds it waiting or runnable, so it spins for as long as the call
lasts: for ever, if that depends on a goroutine that waits for the collector.  Go's scang (3c60e6e8cf) asks in every
state.

Modelled.  One goroutine with a frame, which comes by one safepoint and makes a system call that does not end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.scenario import Scenario, Variant
from mutator.heap import MARKED
from mutator.phase import GCscan
from mutator.world import GDEAD, GRUNNABLE, GSYSCALL, GWAITING, MRECORD, G
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from mutator.world import World
    from workbuf.machine import Port


class Watched(CollectorM):
    """Says so when two scan one stack; the cell `scanning` counts the scans under way."""

    def __init__(self, port: Port, world: World, record: int, scanning: int = 0) -> None:
        super().__init__(port, world, record)
        self.scanning = scanning

    def scanstack(self, gp: int) -> None:
        port = self.port
        assert port.xadd(self.scanning, 1) == 1, "two scan one stack"
        super().scanstack(gp)
        port.xadd(self.scanning, -1)


class Retrying(Watched):
    """The seed's scan: it asks waiting and runnable goroutines again, and no others."""

    def scangoroutine(self, gp: int) -> None:
        port = self.port
        port.post(gp + G.gcworkdone, 0)
        restart = self.stopg(gp)
        while not port.hint(gp + G.gcworkdone):
            status = self.readgstatus(gp)
            if status == GDEAD:
                port.post(gp + G.gcworkdone, 1)
            elif status in (GWAITING, GRUNNABLE):
                restart = self.stopg(gp)
            port.pause(Pause.PROCYIELD, 20)
        if restart:
            self.restartg(gp)


def scan(m: type[Watched]) -> Program:
    """A goroutine with a pointer in its frame comes by a safepoint, then enters a long system call; its stack is scanned."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = model.mutators[0]
        gp = machine.peek(mutator + MRECORD.curg)
        x, _ = small.objects([[1], []])
        cell = small.boot.pushframe(gp, 1, small.boot.stackmap(1, [0]))
        machine.poke(cell, x)
        for b in [small.boot.getempty(460) for _ in range(2)]:
            small.boot.putempty(b, 496)
        machine.poke(world.gcphase, GCscan)
        small.running(model.gcm, mutator)
        scanning = machine.word(0, "scanning")
        show(machine, world)

        def collects(port: Port) -> None:
            gc = m(port, world, model.gcm, scanning)
            gc.scangoroutine(gp)
            _, _, bits = gc.heapBitsForObject(x)
            assert bits & MARKED, "the stack was not scanned"

        def mutates(port: Port) -> None:
            me = m(port, world, mutator, scanning)
            me.poll()
            me.entersyscall()

        machine.spawn(collects, "gc")
        machine.spawn(mutates, "mutator")

        def check() -> None:
            assert machine.peek(gp + G.status) == GSYSCALL, "the goroutine has not got its stack back"

        return check

    return program


SCENARIO = Scenario(
    name="scansyscall",
    title="The scan of a stack spins for as long as a system call lasts",
    bugs=("S20", "O-11"),
    variants={
        "failing": Variant(scan(Retrying), fails="round in a circle"),
        "fixed": Variant(scan(Watched), early=0),
    },
)
