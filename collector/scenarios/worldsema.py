"""Scenario: worldsema is given up before the world is started.  (K-17; Go's issue 10618, 277acca286.)

Whoever holds worldsema may count on GOMAXPROCS to stay what it is.  It changes while the world is being started; the
seed's gcwork, and GOMAXPROCS itself, give worldsema up before that, so that another holder sees it change.  Go exchanged
the two.

Modelled.  The semaphore, the number and the request to change it; one thread that changes it, one that holds the
semaphore and looks twice.  Not modelled.  The stop of the world itself: nothing else of the model changes GOMAXPROCS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant
from workbuf.layout import Struct


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

SCHED = Struct("sched", "worldsema", "gomaxprocs", "newprocs")


class Changer:
    """Changes GOMAXPROCS."""

    def __init__(self, port: Port, sched: int) -> None:
        self.port = port
        self.sched = sched

    def gomaxprocs(self, n: int) -> None:
        """Stop the world, ask for `n`, give worldsema up, start the world."""
        port, sched = self.port, self.sched
        port.lock(sched + SCHED.worldsema)
        port.store(sched + SCHED.newprocs, n)
        port.unlock(sched + SCHED.worldsema)
        self.starttheworld()

    def starttheworld(self) -> None:
        """Where what was asked for happens."""
        port, sched = self.port, self.sched
        n = port.load(sched + SCHED.newprocs)
        if n:
            port.store(sched + SCHED.newprocs, 0)
            port.store(sched + SCHED.gomaxprocs, n)


class StartsFirst(Changer):
    """With Go's fix."""

    def gomaxprocs(self, n: int) -> None:
        """Worldsema is held until the world runs."""
        port, sched = self.port, self.sched
        port.lock(sched + SCHED.worldsema)
        port.store(sched + SCHED.newprocs, n)
        self.starttheworld()
        port.unlock(sched + SCHED.worldsema)


def held(kind: type[Changer]) -> Program:
    """Another holder looks at the number twice."""

    def program(machine: SteppedMachine) -> None:
        sched = SCHED.allocate(machine, "sched")
        machine.poke(sched + SCHED.gomaxprocs, 1)

        def holds(port: Port) -> None:
            port.lock(sched + SCHED.worldsema)
            before = port.load(sched + SCHED.gomaxprocs)
            assert port.load(sched + SCHED.gomaxprocs) == before, "GOMAXPROCS changes under a holder of worldsema"
            port.unlock(sched + SCHED.worldsema)

        machine.spawn(lambda port: kind(port, sched).gomaxprocs(2), "changer")
        machine.spawn(holds, "holder")

    return program


SCENARIO = Scenario(
    name="worldsema",
    title="GOMAXPROCS changes under a holder of worldsema",
    bugs=("K-17", "#10618"),
    variants={
        "failing": Variant(held(Changer), fails="under a holder of worldsema"),
        "fixed": Variant(held(StartsFirst)),
    },
)
