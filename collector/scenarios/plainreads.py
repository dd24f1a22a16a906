"""Scenario: plain reads of words that others change.  (O-9; S4.)

`work.empty`, `work.full` and `currentwbuf` are read without ordering, as hints: a stale value costs a turn of a loop or
an allocation, because what follows, a pop or an exchange, looks again.  `nwait == nproc`, once true with nothing left,
stays true. All interleavings of two getemptys, of a cache that is taken by its owner and by the harvest, and of a
closed barrier, pass. `failing` believes what it has read: that there is a buffer on the list, or in the cache.

Modelled.  Sequentially consistent memory; on real threads a hint may be older than that, which the same argument covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, pool
from collector.fixtures.show import show
from collector.scenarios.scenario import SOUND, Scenario, Variant
from workbuf.boot import BootPort
from workbuf.getfull import Getfull
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Believes(Lists):
    """Takes a hint for the truth."""

    def getempty(self, entry: int) -> int:
        if self.port.hint(self.work_empty) == 0:
            return super().getempty(entry)
        b = self.lfstackpop(self.work_empty)
        assert b, "the list was not empty when it was looked at, and now is"
        self.logget(b, entry)
        return b

    def takecached(self) -> int:
        b = self.port.hint(self.currentwbuf) // WORD
        if b:
            taken = self.port.xchg(self.currentwbuf, 0) // WORD
            assert taken == b, "the cache was not empty when it was looked at, and now is"
        return b


def gets(m: type[Lists]) -> Program:
    """Two threads get an empty buffer; there is one on the list."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        world.persistentchunk = 1024
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        boot = Lists(BootPort(machine), world, records[0])
        boot.putempty(boot.getempty(359), 496)
        show(machine, world, ms=records)
        for i, record in enumerate(records):
            machine.spawn(lambda port, record=record: m(port, world, record).getempty(1181), f"m{i}")  # type: ignore[misc]

    return program


def takes(m: type[Lists]) -> Program:
    """An M takes its cached buffer while another harvests it."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        world.persistentchunk = 1024
        record = MLOCAL.allocate(machine, "m0")
        boot = Lists(BootPort(machine), world, record)
        boot.cache(boot.getempty(359))
        show(machine, world, ms=[record])

        def owner(port: Port) -> None:
            me = m(port, world, record)
            if b := me.takecached():
                me.putempty(b, 877)

        def harvester(port: Port) -> None:
            if b := port.xchg(record + MLOCAL.currentwbuf, 0) // WORD:
                Lists(port, world, record).putempty(b, 945)

        machine.spawn(owner, "owner")
        machine.spawn(harvester, "harvester")

    return program


SCENARIO = Scenario(
    name="plainreads",
    title="Words that others change are read plainly, because whoever acts on them looks again",
    bugs=("S4", "O-9"),
    variants={
        "failing": Variant(gets(Believes), fails="the list was not empty"),
        "failing-cache": Variant(takes(Believes), fails="the cache was not empty"),
        "fixed": Variant(gets(Lists)),
        "fixed-cache": Variant(takes(Lists)),
        "fixed-barrier": Variant(pool(Getfull, 2, 1), exhaustible=False),
    },
    kind=SOUND,
)
