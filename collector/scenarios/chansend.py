"""Scenario: a pointer is sent into the scanned stack of a blocked goroutine while barriers are off.  (K-16; S19.)

The collector takes a blocked goroutine's stack to be unchanged since it scanned it.  A sender writes straight into the
receiver's slot.  In the scan phase the seed's stores have no barrier: the value is not shaded, the receiver's stack
counts as scanned until it runs, mark termination skips it, and the object is freed while it lives.  Go's fix: the send
has a barrier of its own, in the scan phase too (80ec711755, 1303957dbf).

Modelled.  Both stacks are scanned, the world is stopped and the mark ended at once; the sender keeps the object on its
stack only, sends it and forgets it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.faults.world import SendUnshaded
from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCscan
from mutator.world import GWAITING, MRECORD, G


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Seed(SendUnshaded, Unswept):
    """The send stores, and does nothing else."""


def send(m: type[Unswept]) -> Program:
    """A receiver blocked for the whole collection, a sender that sends at some time of it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, mutators=2), m)
        world, model, boot = small.world, small.model, small.boot
        receiver, sender = model.mutators  # scanned in this order
        x = small.objects([[]])[0]
        slots = [
            boot.pushframe(machine.peek(record + MRECORD.curg), 1, boot.stackmap(1, [0])) for record in model.mutators
        ]
        machine.poke(slots[1], x)
        small.running(model.gcm, sender)
        machine.poke(machine.peek(receiver + MRECORD.curg) + G.status, GWAITING)
        boot.flushallmcaches()
        boot.setphase(GCscan)
        boot.resetwork(1)
        show(machine, world)

        def sends(port: Port) -> None:
            me = m(port, world, sender)
            me.senddirect(slots[0], x)
            port.words[slots[1]] = 0
            me.poll()
            me.goexit()

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            for record in model.mutators:
                me.scangoroutine(port.words[record + MRECORD.curg])
            me.stoptheworld()
            me.gcinstallmarkwb()
            me.harvestwbufs()
            me.gc_m()
            me.starttheworld()

        machine.spawn(collects, "gc")
        machine.spawn(sends, "sender")

        def check() -> None:
            small.keepsall("what was sent")

        return check

    return program


SCENARIO = Scenario(
    name="chansend",
    title="A pointer sent to a blocked goroutine whose stack is scanned is lost",
    bugs=("S19", "K-16"),
    variants={
        "failing": Variant(send(Seed), fails="what was sent is reachable"),
        "fixed": Variant(send(Unswept), exhaustible=False),
    },
)
