"""Scenario: what a buffer per barrier costs, and what the M's cache saves.

Before the seed commit every barrier took a buffer off a list and put it back.  The commit's first claim is that the M's
cached buffer spares the lists, and one of its comments asks for the price of a fresh buffer per object.

Modelled.  Barriers of two Ms, each on objects of its own; `seed` stands for the commit before it, `remedy` for the seed.
Counted.  Pushes and pops on the lists per barrier, and compare-and-swaps that fail.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, CountingLists, SmallWorld
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.phase import GCmark
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

BARRIERS = 5
"""Of each M."""


class Uncached(CountingLists):
    """The parent's barrier: what is shaded goes to a list at once."""

    def cache(self, b: int) -> int:
        self.putpartial(b, 1191)
        return 0


def barriers(m: type[CountingLists], figures: list[float] | None = None, *, failures: bool = False) -> Program:
    """`figures` is told the list operations per barrier, or the swaps that failed in all if `failures`."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, mutators=2), m)
        world, model, boot = small.world, small.model, small.boot
        objects = [[boot.mallocgc(WORD, 1) for _ in range(BARRIERS)] for _ in model.mutators]
        boot.setphase(GCmark)
        operations, failed = machine.word(0, "operations"), machine.word(0, "failed swaps")
        show(machine, world)

        def shades(port: Port, number: int) -> None:
            me = m(port, world, model.mutators[number])
            for obj in objects[number]:
                me.shade(obj)
            port.xadd(operations, me.operations)
            port.xadd(failed, me.cas_failures)

        for number in range(len(objects)):
            machine.spawn(lambda port, number=number: shades(port, number), f"mutator{number}")  # type: ignore[misc]

        def check() -> None:
            assert small.queued() == sorted(obj for of in objects for obj in of), "an object is not queued once"
            if figures is not None:
                each = machine.peek(operations) / BARRIERS / len(objects)
                figures.append(machine.peek(failed) if failures else each)

        return check

    return program


SCENARIO = Scenario(
    name="freshbuffer",
    title="A buffer per barrier costs list operations, which the M's cache saves",
    bugs=(),
    variants={
        "seed": Variant(barriers(Uncached), exhaustible=False),
        "fixed": Variant(barriers(CountingLists), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "list operations per barrier: before the seed, and at the seed",
            seed=lambda figures: barriers(Uncached, figures),
            fix=lambda figures: barriers(CountingLists, figures),
        ),
        Cost(
            "compare-and-swaps that fail in 10 barriers of two Ms: before the seed, and at the seed",
            seed=lambda figures: barriers(Uncached, figures, failures=True),
            fix=lambda figures: barriers(CountingLists, figures, failures=True),
        ),
    ),
)
