"""The collector scans a stack whose goroutine may be scanning itself.  (K-14, O-11, O-12; S20.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from mutator.heap import MARKED
from mutator.phase import GCscan
from mutator.world import GDEAD, GRUNNABLE, GRUNNING, GSYSCALL, GWAITING, MRECORD, STACK_PREEMPT, G
from tests.race.running import running
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from mutator.world import World
    from workbuf.machine import Port

    Check = Callable[[], object]


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


def scan(machine: SteppedMachine, m: type[Watched]) -> Check:
    """A goroutine with a pointer in its frame comes by a safepoint, then enters a long system call; its stack is scanned."""
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
    running(small, model.gcm, mutator)
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


def stale(machine: SteppedMachine, m: type[CollectorM]) -> None:
    """A goroutine meets a request to stop that is over while the collector asks it to scan itself; it never blocks."""
    small = SmallWorld(machine, m=m)
    world, model = small.world, small.model
    mutator = model.mutators[0]
    gp = machine.peek(mutator + MRECORD.curg)
    machine.poke(world.gcphase, GCscan)
    machine.poke(gp + G.stackguard, STACK_PREEMPT)
    running(small, model.gcm, mutator)
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


@pytest.mark.race(strategy="stateful", exhaust=True)
def test_stale(machine: SteppedMachine) -> None:
    """The goroutine takes the old request back and not the new one."""
    stale(machine, CollectorM)


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


@pytest.mark.race(schedules=500)
def test_hasty(machine: SteppedMachine) -> None:
    """A request that was taken back unseen is made again."""
    stale(machine, Hasty)


@pytest.mark.race(strategy="dpor", fails="livelock")
def test_asked_once(machine: SteppedMachine) -> None:
    """If it is not, the collector waits for as long as the goroutine runs."""
    stale(machine, AskedOnce)
