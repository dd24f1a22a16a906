"""Scenario: the scheduler's question whether there is work does not look into the cache.  (K-6; d1cae6358c.)

Workers are started if there is work.  The question looked at full and partial, while getfull draws from the M's own
cache as well: a worker whose only work was there was not started, and the mark waited for it.  The question must cover
every place where work can be.

Modelled.  An M that has shaded one object and then asks whether to work or to sleep; the collector waits until all is
marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCmark


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class ListsOnly(Unswept):
    """The question as it was."""

    def markworkavailable(self) -> bool:
        """Is there anything to mark?"""
        return self.port.hint(self.work_full) != 0 or self.port.hint(self.work_partial) != 0


class Everywhere(ListsOnly):
    """And as it should be."""

    def markworkavailable(self) -> bool:
        return super().markworkavailable() or self.port.hint(self.currentwbuf) != 0


def asked(m: type[ListsOnly]) -> Program:
    """One barrier, then the question."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        x = small.objects([[1], []])[0]
        small.boot.setphase(GCmark)
        marked, rest = machine.word(0, "marked"), machine.word(0, "rest")
        show(machine, world)

        def works(port: Port) -> None:
            me = m(port, world, model.mutators[0])
            me.shade(x)
            if not me.markworkavailable():
                port.sleep(rest)
            me.gchelpwork()
            port.wake(marked)

        machine.spawn(works, "worker")
        machine.spawn(lambda port: port.sleep(marked), "gc")

    return program


SCENARIO = Scenario(
    name="schedulercache",
    title="A worker whose only work is in its cache is not started",
    bugs=("K-6",),
    variants={
        "failing": Variant(asked(ListsOnly), fails="sleeps on rest"),
        "fixed": Variant(asked(Everywhere)),
    },
)
