"""Scenario: the collector allocates in mark termination, and is asked to assist.  (O-20, K-26; d0eab03091.)

An allocation that refills an mcache while a collection is under way assists; in mark termination the assist throws for
the phase.  So the collector may allocate nothing there.  Go moved what allocates before the cycle, and made any
allocation in mark termination a throw.

Modelled.  The collector's M allocates one object: as a root job of mark termination, or before it stops the world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Timeless
from collector.roots import ROOT_FLUSH_CACHES
from collector.scenarios.scenario import Scenario, Variant
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class AllocatesInside(Timeless):
    """When the mcaches have been flushed, so that each allocation refills one."""

    def collect(self) -> None:
        """A stopped mark."""
        self.gc_m()

    def markroot(self, i: int) -> None:
        super().markroot(i)
        if i == ROOT_FLUSH_CACHES:
            self.new(WORD, 0)


class AllocatesBefore(Timeless):
    """While the phase is off."""

    def collect(self) -> None:
        self.new(WORD, 0)
        self.gc_m()


def collected(m: type[AllocatesInside | AllocatesBefore]) -> Program:
    """The world is stopped, and a collection under way."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        small.stopped()
        show(machine, world)

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            port.store(me.working, 1)
            me.collect()

        machine.spawn(collects, "gc")

    return program


SCENARIO = Scenario(
    name="helpthrow",
    title="A collector that allocates in mark termination throws at its own assist",
    bugs=("O-20", "K-26"),
    variants={
        "failing": Variant(collected(AllocatesInside), fails="gcphasework in bad gcphase"),
        "fixed": Variant(collected(AllocatesBefore)),
    },
)
