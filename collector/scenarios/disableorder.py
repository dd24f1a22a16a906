"""Scenario: caches are flushed, and disabled only then.  (K-5; S16, c1f7a56fc0.)

Go 1.5's second concurrent mark wants no work in caches: they are flushed, and barriers put on full from then on.  If the
flush comes first, a barrier caches again what it shades between the two, and that is hidden until the world is
stopped.  The other order leaves no window: who sees the caches enabled is flushed after that.

Modelled.  A mutator that shades twice; its P's lock stands for "not at a safepoint", where alone a P is flushed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant
from workbuf.layout import Struct


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

WORK = Struct("work", "disabled", "full", "plock", "cached")


class Marker:
    """Begins the second concurrent mark."""

    def __init__(self, port: Port, work: int) -> None:
        self.port = port
        self.work = work

    def begin(self) -> None:
        """As Go had it first."""
        self.flush()
        self.disable()

    def disable(self) -> None:
        """From here on barriers put on full."""
        self.port.store(self.work + WORK.disabled, 1)

    def flush(self) -> None:
        """At a safepoint of the P."""
        port, work = self.port, self.work
        port.lock(work + WORK.plock)
        port.xadd(work + WORK.full, port.xchg(work + WORK.cached, 0))
        port.unlock(work + WORK.plock)


class DisablesFirst(Marker):
    """With Go's fix."""

    def begin(self) -> None:
        """The other order."""
        self.disable()
        self.flush()


def shaded(kind: type[Marker]) -> Program:
    """What a mutator shades meanwhile is on full when the second mark has begun and it has stopped shading."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        work = WORK.allocate(machine, "work")

        def mutates(port: Port) -> None:
            for _ in range(2):
                port.lock(work + WORK.plock)
                cell = WORK.full if port.load(work + WORK.disabled) else WORK.cached
                port.xadd(work + cell, 1)
                port.unlock(work + WORK.plock)

        machine.spawn(lambda port: kind(port, work).begin(), "gc")
        machine.spawn(mutates, "mutator")

        def check() -> None:
            assert machine.peek(work + WORK.cached) == 0, "work is hidden in a cache that was flushed"

        return check

    return program


SCENARIO = Scenario(
    name="disableorder",
    title="Caches that are flushed before they are disabled fill again in between",
    bugs=("S16", "K-5"),
    variants={
        "failing": Variant(shaded(Marker), fails="hidden in a cache"),
        "fixed": Variant(shaded(DisablesFirst)),
    },
)
