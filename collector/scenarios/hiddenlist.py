"""Scenario: a long list hidden in one cache is scanned while the world stands still.  (K-5; S14.)

What a barrier has shaded lies in its M's cache until mark termination harvests it, however much hangs below it: pauses
of up to 480 ms (Go's issue 11694).  Go's remedy, in the end (90a19961f2): when marking has run out of work the caches
are flushed, and marking goes on until a flush finds nothing.

Modelled.  A barrier has shaded the head of a list; the concurrent mark, then mark termination; one marker.
Counted.  Objects scanned in mark termination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.phase import GCmark


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

LIST = 20
"""Objects."""


class Flushing(Unswept):
    """The concurrent mark goes on until no cache holds anything (the later mark 2), each time with the barrier reset."""

    def gcmark_m(self) -> None:
        """Drain, harvest, drain."""
        super().gcmark_m()
        while self.harvestwbufs():
            self.resetwork(1)
            super().gcmark_m()


def hidden(m: type[Unswept], scanned: list[float] | None = None) -> Program:
    """The head of a list is grey, in a mutator's cache."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        head = small.objects([[i + 1] for i in range(LIST - 1)] + [[]])[0]
        small.global_(0, head)
        small.stopped()
        boot.setphase(GCmark)
        boot.resetwork(1)
        m(boot.port, world, model.mutators[0]).shade(head)
        show(machine, world)
        count = machine.word(0, "scanned in mark termination")

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            me.gcmark_m()
            before = me.scanned
            me.gc_m()
            port.store(count, me.scanned - before)

        machine.spawn(collects, "gc")

        def check() -> None:
            if scanned is not None:
                scanned.append(machine.peek(count))
            small.keepsall()

        return check

    return program


SCENARIO = Scenario(
    name="hiddenlist",
    title="What hangs below a cached buffer is scanned in the stopped world",
    bugs=("S14", "K-5", "#11694"),
    variants={"seed": Variant(hidden(Unswept)), "fixed": Variant(hidden(Flushing))},
    kind=COST,
    costs=(
        Cost(
            "objects scanned in the stopped world, of a list of 20 whose head a barrier has shaded",
            seed=lambda figures: hidden(Unswept, figures),
            fix=lambda figures: hidden(Flushing, figures),
            schedules=1,
        ),
    ),
)
