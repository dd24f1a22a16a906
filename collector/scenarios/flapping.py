"""Scenario: a buffer that is full and empty by turns.  (K-9; S18.)

Work at exactly a buffer's end costs a push and a pop on the global lists for each object or two: the buffer that is
full is given away and the next one is empty at once.  Go took two buffers per worker instead of one (b6c0934a9b): both
must be full before one is given away, both empty before one is fetched.  And buffers grew, from 256 bytes to 4096
(1870572180).

Modelled.  One worker that adds and takes entries: one more, two fewer, one more, at a buffer's end; and a fan-out that
is added and then taken.  Counted.  Pushes and pops on the lists per entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.counting import Counting
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from workbuf.buffer import NOBJ
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.local import Globals as World
    from workbuf.machine import Port

ROUNDS = 10
FANOUT = 1000


class OneBuffer(Counting):
    """A worker with one buffer, as drainworkbuf has."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.wbuf = self.getempty(460)

    def add(self) -> None:
        """An entry; a full buffer is given away first."""
        if self.port.words[self.wbuf + NOBJ] == self.len_obj:
            self.whenfull()
        self.port.words[self.wbuf + NOBJ] += 1

    def take(self) -> None:
        """An entry; another buffer is fetched first if this one is empty."""
        if self.port.words[self.wbuf + NOBJ] == 0:
            self.whenempty()
        self.port.words[self.wbuf + NOBJ] -= 1

    def whenfull(self) -> None:
        self.putfull(self.wbuf, 358)
        self.wbuf = self.getempty(359)

    def whenempty(self) -> None:
        self.putempty(self.wbuf, 496)
        self.wbuf = self.popfull(504)
        assert self.wbuf, "an entry is lost"


class TwoBuffers(OneBuffer):
    """A worker with a second buffer behind the first."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.other = self.getempty(460)

    def whenfull(self) -> None:
        """Only if both are."""
        self.wbuf, self.other = self.other, self.wbuf
        if self.port.words[self.wbuf + NOBJ] == self.len_obj:
            super().whenfull()

    def whenempty(self) -> None:
        """Only if both are."""
        self.wbuf, self.other = self.other, self.wbuf
        if self.port.words[self.wbuf + NOBJ] == 0:
            super().whenempty()


def boundary(me: OneBuffer) -> int:
    """Fill the buffer, then go over its end and back; the entries that are added."""
    for _ in range(me.len_obj):
        me.add()
    me.operations = 0
    for _ in range(ROUNDS):
        me.add()
        me.take()
        me.take()
        me.add()
    return 2 * ROUNDS


def fanout(me: OneBuffer) -> int:
    """What one object leads to."""
    me.operations = 0
    for _ in range(FANOUT):
        me.add()
    for _ in range(FANOUT):
        me.take()
    return FANOUT


def worked(
    m: type[OneBuffer], does: Callable[[OneBuffer], int], figures: list[float] | None = None, wbufsize: int = 256
) -> Program:
    """`figures` is told the list operations per entry."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=wbufsize)
        record = MLOCAL.allocate(machine, "m0")
        counts = machine.alloc(2, "operations, entries")

        def body(port: Port) -> None:
            me = m(port, world, record)
            entries = does(me)
            port.store(counts, me.operations)
            port.store(counts + 1, entries)

        machine.spawn(body, "worker")

        def check() -> None:
            assert machine.peek(counts + 1), "nothing was added"
            if figures is not None:
                figures.append(machine.peek(counts) / machine.peek(counts + 1))

        return check

    return program


SCENARIO = Scenario(
    name="flapping",
    title="Work at exactly a buffer's end costs list operations for every object",
    bugs=("S18", "K-9"),
    variants={"seed": Variant(worked(OneBuffer, boundary)), "fixed": Variant(worked(TwoBuffers, boundary))},
    kind=COST,
    costs=(
        Cost(
            "list operations per object at the end of a buffer of 23: one buffer per worker, and two",
            seed=lambda figures: worked(OneBuffer, boundary, figures),
            fix=lambda figures: worked(TwoBuffers, boundary, figures),
            schedules=1,
        ),
        Cost(
            "list operations per object of a fan-out of 1000: buffers of 23 entries, and of 125",
            seed=lambda figures: worked(OneBuffer, fanout, figures),
            fix=lambda figures: worked(OneBuffer, fanout, figures, 1072),
            schedules=1,
        ),
        Cost(
            "list operations per object of a fan-out of 1000: buffers of 125 entries, and of 503",
            seed=lambda figures: worked(OneBuffer, fanout, figures, 1072),
            fix=lambda figures: worked(OneBuffer, fanout, figures, 4096),
            schedules=1,
        ),
    ),
)
