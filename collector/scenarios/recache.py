"""Scenario: a stack that is scanned after the harvest leaves a buffer in its scanner's cache.  (O-16.)

In mark termination scanstack puts back into the cache what it took from there, after the harvest has come by.  It is
right because every participant comes to getfull later, which empties its own cache.  `failing` is a participant that
does not come: what its cache holds is lost.

Modelled.  Two participants; the second has a buffer in its cache, scans a stack without pointers, and then drains or
leaves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.pool import decides_nothing
from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCmark, GCmarktermination
from mutator.world import GWAITING, MRECORD, G


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def scans(*, leaves: bool) -> Program:
    """The second participant is not counted by the barrier if it `leaves`."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), Unswept)
        world, model, boot = small.world, small.model, small.boot
        helper = model.helpers[0]
        gp = machine.peek(model.mutators[0] + MRECORD.curg)
        x = small.objects([[1], []])[0]
        small.global_(0, x)
        machine.poke(gp + G.status, GWAITING)
        boot.setphase(GCmark)
        Unswept(boot.port, world, helper).shade(x)
        boot.setphase(GCmarktermination)
        boot.resetwork(2 - leaves)
        decides_nothing(machine, [], [model.gcm, helper])
        show(machine, world)

        def participates(port: Port) -> None:
            me = Unswept(port, world, helper)
            me.scangoroutine(gp)
            if not leaves:
                me.scanblock(0, 0, 0, me.takecached())

        machine.spawn(lambda port: Unswept(port, world, model.gcm).scanblock(0, 0, 0, 0), "m0")
        machine.spawn(participates, "m2")

        def check() -> None:
            small.keepsall()

        return check

    return program


SCENARIO = Scenario(
    name="recache",
    title="A buffer may go back into a cache after the harvest, because its M comes to getfull",
    bugs=("O-16",),
    variants={
        "failing": Variant(scans(leaves=True), fails="reachable, and not marked"),
        "fixed": Variant(scans(leaves=False), exhaustible=False),
    },
    kind=SOUND,
)
