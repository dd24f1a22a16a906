"""Scenario: a thread that is no participant of the barrier puts a buffer on a list.  (O-24, K-1, K-3.)

The barrier needs a closed world: only participants push.  An outsider's buffer that comes when all wait is nobody's, and
the mark has ended.  A wait loop that looks at partial as well (653426f08f) makes that rarer for a buffer on partial and
does not end it.  What mends it is that there is no outsider: whoever pushes counts as a participant until it has pushed.

Modelled.  Two participants with nothing to do, and one thread that publishes the only buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, buffer, decides_nothing
from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from workbuf.buffer import INUSE, NOBJ
from workbuf.getfull import PASSIVE_SPINS, Getfull
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class LooksAtBoth(Getfull):
    """A waiter wakes up for partial, too."""

    def getfull(self, entry: int) -> int:
        """As in getfull.py, but for the question."""
        b = self.popfull(entry) or self.poppartial(entry)
        port, turn = self.port, 0
        if not b:
            port.xadd(self.work_nwait, 1)
        while not b:
            if port.hint(self.work_full) or port.hint(self.work_partial):
                port.xadd(self.work_nwait, -1)
                b = self.popfull(entry) or self.poppartial(entry)
                if b:
                    break
                port.xadd(self.work_nwait, 1)
            if port.load(self.work_nwait) == port.hint(self.work_nproc):
                return 0
            self.backoff(turn)
            turn = min(turn + 1, PASSIVE_SPINS)
        return b


def published(m: type[Getfull], *, partial: bool = False, counted: bool = False) -> Program:
    """The third thread publishes on partial or on full; it counts as a participant if `counted`, and then drains too."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 2 + counted)
        b = buffer(machine, 0)
        machine.poke(b + NOBJ, 1)
        machine.poke(b + INUSE, 1)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(3)]
        decides_nothing(machine, [b], records)
        show(machine, world, "full", "partial", ms=records)
        left = machine.word(1, "entries left")

        def drains(port: Port, record: int) -> None:
            me = m(port, world, record)
            while got := me.getfull(504):
                port.words[got + NOBJ] = 0
                port.xadd(left, -1)
                me.putempty(got, 496)
            assert port.load(left) == 0, "the mark ended early: an outsider's buffer is left"

        def publishes(port: Port) -> None:
            me = m(port, world, records[2])
            if partial:
                me.putpartial(b, 1191)
            else:
                me.putfull(b, 358)
            if counted:
                drains(port, records[2])

        for i in range(2):
            machine.spawn(lambda port, i=i: drains(port, records[i]), f"m{i}")  # type: ignore[misc]
        machine.spawn(publishes, "outsider")

    return program


SCENARIO = Scenario(
    name="outsider",
    title="A buffer that comes from outside the barrier's closed world is nobody's",
    bugs=("O-24", "K-1", "K-3"),
    variants={
        "failing": Variant(published(Getfull), fails="outsider's buffer is left"),
        "failing-partial": Variant(published(Getfull, partial=True), fails="outsider's buffer is left"),
        "failing-looks-at-both": Variant(published(LooksAtBoth, partial=True), fails="outsider's buffer is left"),
        "fixed": Variant(published(Getfull, counted=True), exhaustible=False),
    },
)
