"""Scenario: getfull called a second time without a reset of nwait.  (O-10; S6, W11.)

The barrier leaves nwait raised.  The seed's own TODO proposes to harvest again and repeat the drain: without resetting
the counters, nwait becomes nproc + 1, equality never comes back, and the loop never ends.

Modelled.  One participant, without work, which drains twice; secondharvest has the whole proposal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, decides_nothing
from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def twice(*, reset: bool) -> Program:
    """One participant that drains, and then drains again."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 1)
        record = MLOCAL.allocate(machine, "m0")
        decides_nothing(machine, [], [record])
        show(machine, world)

        def body(port: Port) -> None:
            me = Getfull(port, world, record)
            assert me.getfull(504) == 0
            if reset:
                port.store(world.work + WORK.nwait, 0)
            assert me.getfull(504) == 0

        machine.spawn(body, "m0")

    return program


SCENARIO = Scenario(
    name="noreset",
    title="A second drain without resetting nwait waits for ever",
    bugs=("S6", "O-10"),
    variants={
        "failing": Variant(twice(reset=False), fails="round in a circle"),
        "fixed": Variant(twice(reset=True)),
    },
)
