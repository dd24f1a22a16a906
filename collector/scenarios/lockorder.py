"""Scenario: a put that takes the scheduler's lock while its thread holds a stack's scan bit.  (K-25; S29, Go's issue 19112.)

A stack is being scanned; greying an object fills a buffer, the buffer is put on full, and the put wants to wake a
worker, for which it takes sched.lock.  Another thread holds that lock and wants to change the status of the very
goroutine whose scan bit is taken: each waits for the other.  Go's fix (0bae74e8c9): nothing of the kind from inside the
put, only when all is consistent again; here, when the bit has been given back.

Modelled.  One goroutine, the thread that scans it, the thread that makes it runnable under sched.lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, buffer
from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from mutator.goroutine import Goroutines
from mutator.world import GRUNNABLE, GSCAN, GWAITING, G
from workbuf.buffer import INUSE, NOBJ
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Enlisting(Goroutines, Lists):
    """putfull wakes a worker."""

    schedlock = 0

    def putfull(self, b: int, entry: int) -> None:
        super().putfull(b, entry)
        self.enlistworker()

    def enlistworker(self) -> None:
        """Look for an idle one, under the scheduler's lock, which is spun for as Go's locks are at first."""
        while not self.port.trylock(self.schedlock):
            self.port.pause(Pause.PROCYIELD, 30)
        self.port.unlock(self.schedlock)

    def scan(self, gp: int, b: int) -> None:
        """The part of a stack's scan in which the buffer `b`, which the caller owns, is full."""
        if self.castogscanstatus(gp, GWAITING, GWAITING | GSCAN):
            self.putfull(b, 358)
            self.casfrom_Gscanstatus(gp, GWAITING | GSCAN, GWAITING)


class Delayed(Enlisting):
    """Wakes it later."""

    def putfull(self, b: int, entry: int) -> None:
        Lists.putfull(self, b, entry)

    def scan(self, gp: int, b: int) -> None:
        super().scan(gp, b)
        self.enlistworker()


def scanned(m: type[Enlisting]) -> Program:
    """A waiting goroutine is scanned while it is made runnable."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        gp = G.allocate(machine, "g1")
        machine.poke(gp + G.status, GWAITING)
        schedlock = machine.word(0, "sched.lock")
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        b = buffer(machine, 0)
        machine.poke(b + NOBJ, 1)
        machine.poke(b + INUSE, 1)
        show(machine, world, ms=records)

        def scans(port: Port) -> None:
            me = m(port, world, records[0])
            me.schedlock = schedlock
            me.scan(gp, b)

        def readies(port: Port) -> None:
            port.lock(schedlock)
            m(port, world, records[1]).casgstatus(gp, GWAITING, GRUNNABLE)
            port.unlock(schedlock)

        machine.spawn(scans, "scanner")
        machine.spawn(readies, "scheduler")

    return program


SCENARIO = Scenario(
    name="lockorder",
    title="A put that wakes a worker waits for a lock whose holder waits for the stack being scanned",
    bugs=("S29", "K-25", "#19112"),
    variants={
        "failing": Variant(scanned(Enlisting), fails="round in a circle"),
        "fixed": Variant(scanned(Delayed)),
    },
)
