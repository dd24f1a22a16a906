"""Scenario: the memory of a list's node becomes something else while the list still uses it.  (K-19c; S2.)

A pop reads `next` of a node that another thread may own by then.  The value may be stale, and the swap refuses it; but
if the other thread has given the memory back, the read itself is of nothing.  So nodes must be type-stable: buffers are
never given back.  And a packed address is no pointer for a collector: a node in the collected heap is freed while it is
on the list.

Modelled.  Two pops, of which one gives its node back; and a stopped collection of a heap with a node of a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.worlds import SmallWorld, Timeless
from collector.scenarios.scenario import Scenario, Variant
from mutator.heap import POISON
from workbuf.boot import BootPort
from workbuf.lfstack import Lfstack
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Kept(Lfstack):
    """A node that was popped stays one."""

    def give_back(self, node: int) -> None:
        """Nothing: the next push of it may come at any time."""


class Unmapped(Kept):
    """Gives the memory back; whoever reads it then is told so."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        load = port.load

        def mapped(a: int) -> int:
            v = load(a)
            assert v != POISON, "a pop reads memory that was given back"
            return v

        port.load = mapped  # type: ignore[method-assign]

    def give_back(self, node: int) -> None:
        self.port.store(node, POISON)


def popped(m: type[Kept]) -> Program:
    """Two threads pop a node each, and give it back."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine)
        head = world.work + WORK.full
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        for i in range(2):
            node = machine.alloc(2, f"node{i}", ("next", "pushcnt"))
            Lfstack(BootPort(machine), world, records[0]).lfstackpush(head, node)

        def pops(port: Port, record: int) -> None:
            me = m(port, world, record)
            node = me.lfstackpop(head)
            assert node
            me.give_back(node)

        for i, record in enumerate(records):
            machine.spawn(lambda port, record=record: pops(port, record), f"m{i}")  # type: ignore[misc]

    return program


def collected(*, heap: bool) -> Program:
    """A list with one node, of heap memory or of memory that is never given back; a collection; the list as it is then."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Timeless)
        boot = small.boot
        # The other object keeps the span in use.
        node, other = small.objects([[], []]) if heap else (boot.persistentalloc(2 * WORD, WORD), 0)
        small.global_(0, other)
        head = small.world.data.base + 1
        boot.lfstackpush(head, node // WORD)
        small.stopped()
        machine.spawn(lambda port: Timeless(port, small.world, small.model.gcm).gc_m(eager=True), "gc")

        def check() -> None:
            assert machine.peek(node // WORD) != POISON, "a node was freed that is on a list"

        return check

    return program


SCENARIO = Scenario(
    name="freednode",
    title="A node whose memory becomes something else while a list still uses it",
    bugs=("S2", "K-19c"),
    variants={
        "failing": Variant(popped(Unmapped), fails="memory that was given back"),
        "failing-collected": Variant(collected(heap=True), fails="freed that is on a list"),
        "fixed": Variant(popped(Kept)),
        "fixed-collected": Variant(collected(heap=False)),
    },
)
