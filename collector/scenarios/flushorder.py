"""Scenario: a worker counts itself as waiting before it has flushed its cache.  (K-5, O-24; S16, cf225a1748.)

The barrier needs each participant to empty its buffer and its cache BEFORE it increments nwait: when all wait, no work
must be left anywhere.  In the summer of 2015 Go's workers incremented first and flushed then; the others saw everybody
waiting and ended the mark with work in a cache.

Modelled.  getfull with the two exchanged; two participants, one of which has its only work in its cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.getfull import Barrier
from collector.fixtures.pool import SMALL, buffer, decides_nothing
from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from workbuf.buffer import INUSE, NOBJ, OBJ
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class CountsFirst(Barrier):
    """Counts itself in, then looks into its cache."""

    def offered(self, entry: int) -> int:
        """Off the lists."""
        return self.popfull(entry) or self.poppartial(entry)

    def countin(self) -> None:
        """And give what is cached to full."""
        super().countin()
        b = self.takecachedwork(877)
        if b:
            self.putfull(b, 942)


def cached(m: type[Getfull]) -> Program:
    """The first participant comes to getfull with one entry in its cache, the second with nothing."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 2)
        b = buffer(machine, 0)
        for field, value in ((NOBJ, 1), (OBJ, WORD), (INUSE, 1)):
            machine.poke(b + field, value)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        machine.poke(records[0] + MLOCAL.currentwbuf, b * WORD)
        decides_nothing(machine, [b], records)
        show(machine, world, ms=records)
        left = machine.word(1, "entries left")

        def participant(port: Port, record: int) -> None:
            me = m(port, world, record)
            while b := me.getfull(504):
                port.words[b + NOBJ] = 0
                port.xadd(left, -1)
                me.putempty(b, 496)
            assert port.load(left) == 0, "the mark ended early: an entry is left in a cache"

        for i, record in enumerate(records):
            machine.spawn(lambda port, record=record: participant(port, record), f"m{i}")  # type: ignore[misc]

    return program


SCENARIO = Scenario(
    name="flushorder",
    title="A worker that counts itself as waiting before it flushes lets the others end the mark",
    bugs=("S16", "K-5", "O-24"),
    variants={
        "failing": Variant(cached(CountsFirst), fails="an entry is left in a cache"),
        "fixed": Variant(cached(Getfull)),
    },
)
