"""Scenario: a stack's span becomes a heap span while a pointer into it is being scanned.  (K-18; Go's issue 11267.)

A marker meets a pointer into a stack, which it would pass over: a stack's span is none of the heap's.  If the stack is
freed during the collection its pages may be used for the heap at that moment; the marker looks the pointer up, finds a
heap span, and marks what is no object.  Go's fix (d57056ba26): stacks that are freed meanwhile are kept until the
collection is over.

Modelled.  One page that belongs to no heap span, for the stack's; an allocation that takes it, at once or when the mark
is over.  Not modelled.  Stacks in spans: in this model a stack lies outside the heap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCmark
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def reused(*, kept: bool) -> Program:
    """An object points to the end of the page behind it, which an allocation of another size takes."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=Unswept)
        world, model, boot = small.world, small.model, small.boot
        obj = boot.mallocgc(WORD, 1)
        machine.poke(obj // WORD, obj + 2 * CONFIG.page_size - WORD)
        boot.setphase(GCmark)
        over = machine.word(0, "the mark is over")
        show(machine, world)

        def marks(port: Port) -> None:
            me = Unswept(port, world, model.gcm)
            wbuf = me.getempty(460)
            wbuf = me.scanobject(obj, wbuf)
            me.putempty(wbuf, 496)
            port.wake(over)

        def allocates(port: Port) -> None:
            if kept:
                port.sleep(over)
            Unswept(port, world, model.mutators[0]).mallocgc(2 * WORD, 0)

        machine.spawn(marks, "marker")
        machine.spawn(allocates, "mutator")

    return program


SCENARIO = Scenario(
    name="stackspan",
    title="A freed stack's pages become heap while a pointer into it is scanned",
    bugs=("K-18", "#11267"),
    variants={
        "failing": Variant(reused(kept=False), fails="found bad pointer in Go heap", races=False),
        "fixed": Variant(reused(kept=True)),
    },
)
