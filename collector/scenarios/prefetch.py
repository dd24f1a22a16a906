"""Scenario: a buffer is fetched for nothing.  (K-8, O-21; 02dcdba7c8.)

shade fetches a buffer before it knows whether it will grey anything.  A barrier on an object that is marked already
leaves an empty buffer in its M's cache; in mark termination it takes one off a list and puts it back.  Go's gcWork
fetches when there is something to queue.

Modelled.  Barriers of three Ms on one marked object.  Counted.  List operations per barrier, and buffers that lie in
caches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, CountingLists, SmallWorld
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.heap import MARKED
from mutator.phase import GCmark, GCmarktermination
from mutator.world import MRECORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

BARRIERS = 4
"""Of each M."""


class LooksFirst(CountingLists):
    """Fetches a buffer for what it will queue."""

    def shade(self, b: int) -> None:
        if not self.heapBitsForObject(b)[2] & MARKED:
            super().shade(b)


def barriers(
    m: type[CountingLists], phase: int, figures: list[float] | None = None, *, caches: bool = False
) -> Program:
    """`figures` is told the list operations per barrier, or how many buffers are cached at the end if `caches`."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, mutators=3), m)
        world, model, boot = small.world, small.model, small.boot
        x = small.objects([[1], []])[0]
        boot.port.or8(boot.heapBitsForObject(x)[1], MARKED)
        boot.setphase(phase)
        operations = machine.word(0, "operations")
        show(machine, world)

        def shades(port: Port, record: int) -> None:
            me = m(port, world, record)
            for _ in range(BARRIERS):
                me.shade(x)
            port.xadd(operations, me.operations)

        for i, record in enumerate(model.mutators):
            machine.spawn(lambda port, record=record: shades(port, record), f"mutator{i}")  # type: ignore[misc]

        def check() -> None:
            cached = [record for record in model.mutators if machine.peek(record + MRECORD.currentwbuf)]
            assert phase == GCmark or not cached, "a buffer is cached in mark termination"
            if figures is not None:
                figures.append(len(cached) if caches else machine.peek(operations) / BARRIERS / len(model.mutators))

        return check

    return program


SCENARIO = Scenario(
    name="prefetch",
    title="A barrier on a marked object fetches a buffer for nothing",
    bugs=("K-8", "O-21"),
    variants={
        "seed": Variant(barriers(CountingLists, GCmark), exhaustible=False),
        "fixed": Variant(barriers(LooksFirst, GCmark)),
    },
    kind=COST,
    costs=(
        Cost(
            "empty buffers in the caches of 3 Ms after barriers on a marked object",
            seed=lambda figures: barriers(CountingLists, GCmark, figures, caches=True),
            fix=lambda figures: barriers(LooksFirst, GCmark, figures, caches=True),
        ),
        Cost(
            "list operations per barrier on a marked object in mark termination",
            seed=lambda figures: barriers(CountingLists, GCmarktermination, figures),
            fix=lambda figures: barriers(LooksFirst, GCmarktermination, figures),
        ),
    ),
)
