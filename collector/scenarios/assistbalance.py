"""Scenario: an assist keeps a full buffer to itself while others wait for work.  (K-29; Go's issue 13827, 9439fa1078.)

drainworkbuf gives half of its buffer away when others wait and full is empty; drainobjects, the assist's, does not, and
gives away what is left when its budget is spent.  To share took 39 % off the time of Go's benchmark.

Modelled.  An assist with a full buffer of objects, each of which leads to one more, beside the collector, which drains.
Counted.  Objects that the assist scans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from mutator.phase import GCmark
from workbuf.buffer import HANDOFF_MIN, NOBJ, capacity


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Shares(Unswept):
    """Gives half of its buffer away, once there is nothing on full, before it begins."""

    def drainobjects(self, wbuf: int, count: int) -> int:
        if self.port.hint(self.work_full) == 0 and self.port.words[wbuf + NOBJ] > HANDOFF_MIN:
            wbuf = self.handoff(wbuf)
        return super().drainobjects(wbuf, count)


def assisted(m: type[Unswept], figures: list[float] | None = None) -> Program:
    """`figures` is told how many objects the assist has scanned."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        n = capacity(CONFIG.wbufsize)
        objects = small.objects([[n + i] for i in range(n)] + [[] for _ in range(n)])
        boot.setphase(GCmark)
        boot.resetwork(2)
        mutator = model.mutators[0]
        setup = m(boot.port, world, mutator)
        for obj in objects[:n]:
            setup.shade(obj)
        count = machine.word(0, "scanned by the assist")
        show(machine, world)

        def assists(port: Port) -> None:
            me = m(port, world, mutator)
            me.gchelpwork()
            port.store(count, me.scanned)
            me.scanblock(0, 0, 0, 0)  # so that the mark ends when both have no more

        machine.spawn(lambda port: m(port, world, model.gcm).scanblock(0, 0, 0, 0), "gc")
        machine.spawn(assists, "mutator")

        def check() -> None:
            small.keepsall()
            if figures is not None:
                figures.append(machine.peek(count))

        return check

    return program


SCENARIO = Scenario(
    name="assistbalance",
    title="An assist keeps its objects to itself while the collector waits for work",
    bugs=("K-29", "#13827"),
    variants={
        "seed": Variant(assisted(Unswept), exhaustible=False),
        "fixed": Variant(assisted(Shares), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "objects that the assist scans, of 10 below its buffer, while the collector waits",
            seed=lambda figures: assisted(Unswept, figures),
            fix=lambda figures: assisted(Shares, figures),
        ),
    ),
)
