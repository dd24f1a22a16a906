"""Scenario: ABA on the lock-free stack, which the push count prevents.  (O-23; S1.)

One thread pops; between its two reads the other pops two nodes and pushes the first back.  With no count bits the head
word is the same again, and the first thread's compare-and-swap installs a node that the other one owns.  With one bit
the first node must be pushed twice for that, with two bits four times, with Go's 19 half a million times.

Modelled.  Three nodes, one pop, and one thread that comes in between.  Not modelled.  The half million pushes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from workbuf.boot import BootPort
from workbuf.lfstack import CNT_BITS, NEXT, Lfstack, unpack
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

NODES = 3


def stack(countbits: int, m: type[Lfstack] = Lfstack, pushes: int = 1) -> Program:
    """Three nodes on the stack; one thread pops one, the other pops two and pushes the first of them, so many times."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, countbits=countbits)
        head = world.work + WORK.full
        nodes = [machine.alloc(2, f"node{i}", ("next", "pushcnt"), align=8) for i in range(NODES)]
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        boot = m(BootPort(machine), world, records[0])
        for node in nodes:
            boot.lfstackpush(head, node)
        show(machine, world, "full")
        held: list[list[int]] = [[], []]

        def popper(port: Port) -> None:
            held[0].append(m(port, world, records[0]).lfstackpop(head))

        def pusher(port: Port) -> None:
            me = m(port, world, records[1])
            first = me.lfstackpop(head)
            held[1].append(me.lfstackpop(head))
            for again in range(pushes):
                if again:
                    first = me.lfstackpop(head)
                if first:
                    me.lfstackpush(head, first)

        machine.spawn(popper, "popper")
        machine.spawn(pusher, "pusher")

        def check() -> None:
            linked: list[int] = []
            val = machine.peek(head)
            while val and len(linked) <= NODES:
                node = unpack(val) // 8
                linked.append(node)
                val = machine.peek(node + NEXT)
            owned = [node for nodes in held for node in nodes if node]
            assert sorted(linked + owned) == nodes, "a node is lost or in two places"

        return check

    return program


SCENARIO = Scenario(
    name="aba",
    title="A lock-free stack without a push count loses or doubles a node",
    bugs=("S1", "O-23", "K-19"),
    variants={
        "failing": Variant(stack(0), fails="lost or in two places"),
        "failing-1-bit": Variant(stack(1, pushes=2), fails="lost or in two places"),
        "failing-2-bits": Variant(stack(2, pushes=4), fails="lost or in two places"),
        "fixed": Variant(stack(CNT_BITS)),
        "fixed-4-pushes": Variant(stack(CNT_BITS, pushes=4), exhaustible=False),
    },
)
