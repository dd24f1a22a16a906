"""The collector scans a stack whose goroutine may be scanning itself.  (go-spec.md, 8.7 and 14.4; K-14, O-11, O-12.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.cycle import Cycle
from collector.scenarios.show import show
from collector.scenarios.small import Small
from mutator.heap import MARKED
from mutator.phase import GCscan
from mutator.world import GDEAD, GRUNNABLE, GSYSCALL, GWAITING, G, M
from tests.race.running import running
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


class Watched(Cycle):
    """Says so when two scan one stack."""

    scanning: int
    """A cell that counts the scans under way."""

    def scanstack(self, gp: int) -> None:
        port = self.port
        assert port.xadd(self.scanning, 1) == 1, "two scan one stack"
        super().scanstack(gp)
        port.xadd(self.scanning, -1)


def scan(machine: SteppedMachine, m: type[Watched]) -> Check:
    """A goroutine with a pointer in its frame comes by a safepoint, then enters a long system call; its stack is scanned."""
    small = Small(machine, m=m)
    world, model = small.world, small.model
    mutator = model.mutators[0]
    gp = machine.peek(mutator + M.curg)
    x, _ = small.objects([[1], []])
    cell = small.boot.pushframe(gp, 1, small.boot.stackmap(1, [0]))
    machine.poke(cell, x)
    for b in [small.boot.getempty(460) for _ in range(2)]:
        small.boot.putempty(b, 496)
    machine.poke(world.gcphase, GCscan)
    running(small, model.gcm, mutator)
    scanning = machine.word(0, "scanning")
    show(machine, world)

    def made(port: Port, record: int) -> Watched:
        me = m(port, world, record)
        me.scanning = scanning
        return me

    def collects(port: Port) -> None:
        gc = made(port, model.gcm)
        gc.scangoroutine(gp)
        _, _, bits = gc.heapBitsForObject(x)
        assert bits & MARKED, "the stack was not scanned"

    def mutates(port: Port) -> None:
        me = made(port, mutator)
        me.poll()
        me.entersyscall()

    machine.spawn(collects, "gc")
    machine.spawn(mutates, "mutator")

    def check() -> None:
        assert machine.peek(gp + G.status) == GSYSCALL, "the goroutine has not got its stack back"

    return check


@pytest.mark.race(exhaust=True)
def test_scan(machine: SteppedMachine) -> Check:
    """Whoever scans, the collector or the goroutine itself or both, one does at a time, and the collector waits for it."""
    return scan(machine, Watched)


class Retrying(Watched):
    """The seed's scan: it asks waiting and runnable goroutines again, and no others (O-11)."""

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


@pytest.mark.race(strategy="dpor", fails="livelock")
def test_system_call(machine: SteppedMachine) -> Check:
    """A goroutine that was asked to scan itself and goes into a system call is waited for as long as the call lasts."""
    return scan(machine, Retrying)


class Bitless(Watched):
    """Takes the scan bit by a load and a store."""

    def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
        if self.readgstatus(gp) != old:
            return False
        self.port.store(gp + G.status, new)
        return True


@pytest.mark.race(strategy="dpor", fails="has not got its stack back")
def test_bitless(machine: SteppedMachine) -> Check:
    """A scan bit that is not taken by a swap overwrites what the goroutine has become meanwhile."""
    return scan(machine, Bitless)
