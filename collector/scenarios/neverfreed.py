"""Scenario: buffers' memory is never returned.  (K-20; Go's issue 19325.)

A burst of marking leaves its buffers on the empty list for good.  Later they lie in spans that the sweeper frees when a
collection is over (9cc883a466, 051809e352), under the condition that nothing is on full.

Modelled.  A stopped mark of an object with a wide fan-out; the seed, and a collector that drops what is on empty
afterwards. Counted.  Buffers held when the collection is over.  Not modelled.  Where the memory goes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.audit.buffers import onlist
from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from workbuf.local import WORK
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

FANOUT = 40


class Frees(Unswept):
    """Gives all free buffers back when the mark is over."""

    def marked(self) -> None:
        """In the stopped world."""
        if self.port.load(self.work_full):
            raise Throw("cannot free workbufs when work.full != 0")
        while self.lfstackpop(self.work_empty):
            self.port.check()


def burst(m: type[Unswept], figures: list[float] | None = None) -> Program:
    """`figures` is told how many buffers are held afterwards."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, arena=4096), m)
        world, model, boot = small.world, small.model, small.boot
        wide = boot.mallocgc(FANOUT * WORD, (1 << FANOUT) - 1)
        for i in range(FANOUT):
            machine.poke(wide // WORD + i, boot.mallocgc(WORD, 1))
        small.global_(0, wide)
        small.stopped()
        show(machine, world, "full", "partial")

        def collects(port: Port) -> None:
            m(port, world, model.gcm).gc_m()

        machine.spawn(collects, "gc")

        def check() -> None:
            small.keepsall()
            if figures is not None:
                figures.append(len(list(onlist(world.work + WORK.empty, machine.mem, FANOUT))))

        return check

    return program


SCENARIO = Scenario(
    name="neverfreed",
    title="Buffers of a burst of marking are held for good",
    bugs=("K-20", "#19325"),
    variants={"seed": Variant(burst(Unswept)), "fixed": Variant(burst(Frees))},
    kind=COST,
    costs=(
        Cost(
            "buffers of 5 entries held after a collection whose widest object leads to 40",
            seed=lambda figures: burst(Unswept, figures),
            fix=lambda figures: burst(Frees, figures),
            schedules=1,
        ),
    ),
)
