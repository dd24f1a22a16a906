"""Scenario: the distributed termination of Go 1.12, and work that appears on a P after it was asked.  (K-24; S24, #27993.)

A ragged barrier asks every P in turn, at a safepoint, for the work that it has cached; if none had any, marking is
done, because only work makes more work (9108ae7751).  But a write barrier makes some too, on a P that has been asked
already.  Go's remedy (95a6f112c6), still there: look again in the stopped world, and if there is any, start it and go on
marking.

Modelled.  Two Ps, a mutator on each that shades once at some time, a collector that asks until nobody has had any, and
then stops the world.  A P's lock stands for "not at a safepoint".  What is flushed is marked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

PS = 2


class Collector:
    """Terminates marking; `ps` are the cells of each P's lock and cache."""

    def __init__(self, port: Port, ps: Sequence[tuple[int, int]]) -> None:
        self.port = port
        self.ps = ps

    def flush(self) -> bool:
        """Ask every P in turn; did one have any?"""
        had = False
        for lock, cache in self.ps:
            self.port.lock(lock)
            had = self.port.xchg(cache, 0) != 0 or had
            self.port.unlock(lock)
        return had

    def terminate(self) -> None:
        """Marking is done when a round has found nothing."""
        while self.flush():
            self.port.check()
        self.stopped()

    def stopped(self) -> None:
        """In the stopped world."""
        for lock, _ in self.ps:
            self.port.lock(lock)
        self.recheck()
        for _, cache in self.ps:
            assert self.port.load(cache) == 0, "P has cached GC work at end of mark termination"
        for lock, _ in self.ps:
            self.port.unlock(lock)

    def recheck(self) -> None:
        """Nothing, as in Go 1.12."""


class Rechecking(Collector):
    """With the remedy."""

    def recheck(self) -> None:
        """Mark what is there.  Go starts the world for that, and stops it again."""
        for _, cache in self.ps:
            self.port.xchg(cache, 0)


def terminated(kind: type[Collector]) -> Program:
    """Each P's mutator shades once."""

    def program(machine: SteppedMachine) -> None:
        ps = [(machine.word(0, f"p{i}.lock"), machine.word(0, f"p{i}.cache")) for i in range(PS)]

        def shades(port: Port, lock: int, cache: int) -> None:
            port.lock(lock)
            port.store(cache, 1)
            port.unlock(lock)

        machine.spawn(lambda port: kind(port, ps).terminate(), "gc")
        for i, p in enumerate(ps):
            machine.spawn(lambda port, p=p: shades(port, *p), f"mutator{i}")  # type: ignore[misc]

    return program


SCENARIO = Scenario(
    name="raggedbarrier",
    title="Work appears on a P after the ragged barrier has asked it",
    bugs=("S24", "K-24", "#27993"),
    variants={
        "failing": Variant(terminated(Collector), fails="P has cached GC work"),
        "fixed": Variant(terminated(Rechecking)),
    },
)
