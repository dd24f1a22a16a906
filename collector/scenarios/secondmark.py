"""Scenario: a second mark in the same stop of the world skips the stacks.  (K-13; S21.)

gctrace=2 collects twice.  After the first mark every goroutine counts as scanned, so the second one looks at no stack,
and what only a stack reaches is freed while it lives.  Go's fix (e31e35a0de): between the two the goroutines are made to
count as unscanned.

Modelled.  Two stopped collections, each with its sweep, of a goroutine that keeps one object on its stack; one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.traverse import Traversal
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Timeless
from collector.scenarios.scenario import Scenario, Variant
from mutator.world import MRECORD, G
from workbuf.boot import BootWords


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Twice(Timeless):
    """gctrace=2 as in the seed."""

    def gctwice(self) -> None:
        """Two collections."""
        self.gc_m(eager=True)
        self.gc_m(eager=True)


class Cleared(Twice):
    """With Go's fix."""

    def gctwice(self) -> None:
        """The goroutines are to be scanned again."""
        self.gc_m(eager=True)
        for gp in self.allgs():
            self.port.post(gp + G.gcscanvalid, 0)
        self.gc_m(eager=True)


def twice(m: type[Twice]) -> Program:
    """The world is stopped; one goroutine has an object on its stack, and nobody else has it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        gp = machine.peek(model.mutators[0] + MRECORD.curg)
        slot = boot.pushframe(gp, 1, boot.stackmap(1, [0]))
        x, other = small.objects([[], []])
        machine.poke(slot, x)
        small.global_(0, other)  # keeps the span in use
        small.stopped()
        show(machine, world)

        def collects(port: Port) -> None:
            m(port, world, model.gcm).gctwice()

        machine.spawn(collects, "gc")

        def check() -> None:
            Traversal(world, BootWords(machine)).run()

        return check

    return program


SCENARIO = Scenario(
    name="secondmark",
    title="A second mark in the same stop frees what only stacks reach",
    bugs=("S21", "K-13"),
    variants={
        "failing": Variant(twice(Twice), fails="leads to a freed object"),
        "fixed": Variant(twice(Cleared)),
    },
)
