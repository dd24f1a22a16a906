"""Scenario: an address that does not fit into the packed head of a list.  (K-19b; S3.)

A head word holds an address and a push count.  Address spaces outgrew the packing several times: the upper half on
amd64, 48 bits on ppc64, AIX, 57 and 59 bits.  A push that does not look loses the address's upper bits, and a pop gives
another node.  Go's push unpacks what it has packed, and throws.

Modelled.  A packing whose addresses have nine bits, one of them too few for the node; one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant
from workbuf.lfstack import CNT_BITS, NEXT, PUSHCNT, Lfstack
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

CELL_BITS = 6
"""Bits of a cell's number that the narrow packing keeps: of an address, nine."""


class Narrow(Lfstack):
    """Keeps the low bits, and does not look."""

    def lfstackpush(self, head: int, node: int) -> None:
        port = self.port
        port.words[node + PUSHCNT] += 1
        new = node % (1 << CELL_BITS) << CNT_BITS | port.words[node + PUSHCNT] & self.countmask
        self.selfcheck(node, new)
        while True:
            old = port.load(head)
            port.post(node + NEXT, old)
            if port.cas(head, old, new):
                return
            port.check()

    def selfcheck(self, node: int, new: int) -> None:
        """Does `new` lead back to the node?"""


class Checked(Narrow):
    """With Go's check."""

    def selfcheck(self, node: int, new: int) -> None:
        if new >> CNT_BITS != node:
            raise Throw("lfstackpush")


def pushed(m: type[Lfstack]) -> Program:
    """A node with a high address goes onto a list and comes off it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine)
        machine.alloc(1 << CELL_BITS, "below")
        node = machine.alloc(2, "node", ("next", "pushcnt"))
        record = MLOCAL.allocate(machine, "m0")
        got: list[int] = []

        def body(port: Port) -> None:
            me = m(port, world, record)
            me.lfstackpush(world.work + WORK.full, node)
            got.append(me.lfstackpop(world.work + WORK.full))

        machine.spawn(body, "m0")

        def check() -> None:
            assert got == [node], "what comes off the list is another node"

        return check

    return program


SCENARIO = Scenario(
    name="packing",
    title="An address that is too wide for the packed head of a list",
    bugs=("S3", "K-19b"),
    variants={
        "failing": Variant(pushed(Narrow), fails="another node"),
        "failing-checked": Variant(pushed(Checked), fails="lfstackpush"),
        "fixed": Variant(pushed(Lfstack)),
    },
)
