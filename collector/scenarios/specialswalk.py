"""Scenario: finalizers' records are walked without their lock.  (O-19.)

In the scan phase, while a program may take a finalizer away: its record leads into the list of freed ones, and the walk
misses the rest of the span's list.  It is right because mark termination walks the list again, in the stopped
world.  `failing` is a mark termination that does not.

Modelled.  Two objects with finalizers; the program takes away the first while the collector walks.  What a finalizer's
closure refers to is reachable through its record only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.rooting import Skipping
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.roots import ROOT_SPANS
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCscan


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Once(Skipping, Unswept):
    """Walks in the scan phase only."""

    skipped = ROOT_SPANS


def walked(m: type[Unswept]) -> Program:
    """The scan of the specials, then the rest of a cycle."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator = model.mutators[0]
        one, other, closure = small.objects([[], [], []])
        boot.setfinalizer(one, closure)
        boot.setfinalizer(other, closure)
        small.running(model.gcm, mutator)
        boot.flushallmcaches()
        boot.snapshotspans()
        boot.setphase(GCscan)
        boot.resetwork(1)
        show(machine, world)

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            me.cache(me.markspans(me.getempty(460)))
            me.stoptheworld()
            me.gcinstallmarkwb()
            me.harvestwbufs()
            me.gc_m()
            me.starttheworld()

        def removes(port: Port) -> None:
            me = m(port, world, mutator)
            me.setfinalizer(one, 0)
            me.poll()
            me.goexit()

        machine.spawn(collects, "gc")
        machine.spawn(removes, "mutator")

        def check() -> None:
            small.keepsall("a finalizer's closure")

        return check

    return program


SCENARIO = Scenario(
    name="specialswalk",
    title="Finalizers' records may be walked without their lock, because they are walked again",
    bugs=("O-19",),
    variants={
        "failing": Variant(walked(Once), fails="closure is reachable, and not marked"),
        "fixed": Variant(walked(Unswept), exhaustible=False),
    },
    kind=SOUND,
)
