"""Scenario: a producer takes back from partial what consumers should have.  (K-7; S17, Go's issue 11922.)

Work is given up on partial: by markroot's exit at the seed, by every dispose later.  getpartialorempty takes from
partial first, so the next barrier of a mutator has it again before the collector comes by, and hides it in its M's
cache until the stopped world finds that it leads to much of the heap.  Go's remedy (e95bc5fef7): give up to full; then
partial is not needed any more.

Modelled.  A root job has left the head of a list on partial, or on full; the concurrent mark while a mutator shades an
object without pointers; then mark termination.  Counted.  Objects scanned in mark termination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.phase import GCmark, GCscan
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

LIST = 10
"""Objects."""


class GivesToFull(Unswept):
    """Work is given up to full."""

    def putpartial(self, b: int, entry: int) -> None:
        self.putfull(b, entry)


def given(m: type[Unswept], figures: list[float] | None = None) -> Program:
    """`figures` is told how many objects mark termination has scanned."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator = model.mutators[0]
        small.global_(0, small.objects([[i + 1] for i in range(LIST - 1)] + [[]])[0])
        leaf = boot.mallocgc(WORD, 0)
        small.global_(1, leaf)
        small.running(model.gcm, mutator)
        boot.flushallmcaches()
        boot.setphase(GCscan)
        boot.resetwork(1)
        boot.markroot(0)
        boot.setphase(GCmark)
        count = machine.word(0, "scanned in mark termination")
        show(machine, world)

        def collects(port: Port) -> None:
            gc = m(port, world, model.gcm)
            gc.gcmark_m()
            gc.stoptheworld()
            before = gc.scanned
            gc.gc_m()
            port.store(count, gc.scanned - before)
            gc.starttheworld()

        def shades(port: Port) -> None:
            me = m(port, world, mutator)
            me.writebarrierptr(world.bss.slot(0), leaf)
            me.poll()
            me.goexit()

        machine.spawn(collects, "gc")
        machine.spawn(shades, "mutator")

        def check() -> None:
            small.keepsall()
            if figures is not None:
                figures.append(machine.peek(count))

        return check

    return program


SCENARIO = Scenario(
    name="takeback",
    title="A barrier takes back from partial what the collector should have",
    bugs=("S17", "K-7", "#11922"),
    variants={
        "seed": Variant(given(Unswept), exhaustible=False),
        "fixed": Variant(given(GivesToFull), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "objects scanned in the stopped world, of a list of 10 whose head was given up while a barrier ran",
            seed=lambda figures: given(Unswept, figures),
            fix=lambda figures: given(GivesToFull, figures),
        ),
    ),
)
