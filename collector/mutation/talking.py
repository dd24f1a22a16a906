"""Race programs of channels: who sends, who receives, who waits, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.chan import CHAN, makechan
from mutator.world import GRUNNABLE, GRUNNING, GWAITING, MRECORD
from workbuf.boot import BootPort


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

RING = 2


class Talk:
    """Three goroutines of one thread: one that blocks counts as waiting, and the thread goes on with the others."""

    def __init__(self, machine: SteppedMachine, m: type[CollectorM]) -> None:
        class Parks(m):  # type: ignore[misc, valid-type]
            def gopark(self, unlock: int, reason: int = 0) -> None:
                del reason
                self.casgstatus(self.curg, GRUNNING, GWAITING)
                self.port.unlock(unlock)
                self.releasep()

        self.machine = machine
        self.small = SmallWorld(machine, replace(CONFIG, mutators=3), Parks)
        records = self.small.model.mutators
        self.small.running(*records)
        self.ms = [Parks(BootPort(machine), self.small.world, record) for record in records]
        self.slots = [me.call(1) for me in self.ms]

    def chan(self, size: int) -> int:
        """A channel whose ring is the first words of bss."""
        return makechan(self.machine, f"chan{size}", self.small.world.bss, 0, size)

    def sends(self, i: int, c: int, value: int) -> None:
        """Goroutine `i` sends the value."""
        self.machine.poke(self.slots[i], value)
        self.ms[i].chansend(c, self.slots[i])

    def receives(self, i: int, c: int) -> None:
        """Goroutine `i` receives, sooner or later."""
        self.machine.poke(self.slots[i], 0)
        self.ms[i].chanrecv(c, self.slots[i])

    def waits(self, i: int) -> bool:
        """Does it wait?"""
        return bool(self.ms[i].readgstatus(self.ms[i].curg) == GWAITING)

    def has(self, i: int) -> int:
        """What lies in its slot; if it has waited, it runs again."""
        me = self.ms[i]
        if me.readgstatus(me.curg) == GRUNNABLE:
            assert self.machine.peek(me.record + MRECORD.park), "a goroutine is runnable, and its M is not woken"
            self.machine.poke(me.record + MRECORD.park, 0)
            me.acquirep()
            me.casgstatus(me.curg, GRUNNABLE, GRUNNING)
        assert me.readgstatus(me.curg) == GRUNNING, "a goroutine waits for what it has been given"
        return self.machine.peek(self.slots[i])


def unbuffered(talk: Talk) -> None:
    """Receivers wait in order, whoever comes again behind the others; a sender waits until its value is taken."""
    c = talk.chan(0)
    values = [8 * i for i in range(1, 7)]
    for i in (0, 1):
        talk.receives(i, c)
        assert talk.waits(i), "a goroutine has received what nobody has sent"
    for value, i, again in zip(values[:4], (0, 1, 0, 1), (True, True, False, False), strict=True):
        talk.sends(2, c, value)
        assert talk.has(i) == value, "the value went to another goroutine"
        if again:
            talk.receives(i, c)
    for i, value in enumerate(values[4:]):
        talk.sends(i, c, value)
        assert talk.waits(i), "a goroutine goes on although nobody has taken what it sends"
    for i, value in enumerate(values[4:]):
        talk.receives(2, c)
        assert talk.has(2) == value, "another value was received than sent, or in another order"
        talk.has(i)


def buffered(talk: Talk) -> None:
    """As many values as the ring has room for are sent without waiting; they come out in order, and leave no root."""
    c, bss = talk.chan(RING), talk.small.world.bss.base
    values = [8 * i for i in range(1, 9)]
    for value in values[:RING]:
        talk.sends(0, c, value)
        assert talk.has(0), "a sender waits although there is room"
    for i, value in enumerate(values[RING : RING + 2]):
        talk.sends(i, c, value)
        assert talk.waits(i), "a value is sent although there is no room"
    for at, value in enumerate(values[: RING + 2]):
        talk.receives(2, c)
        assert talk.has(2) == value, "another value was received than sent, or in another order"
        if at < 2:
            talk.has(at)
    left = [talk.machine.peek(at) for at in (c + CHAN.qcount, *range(bss, bss + RING))]
    assert not any(left), "what was taken out of the ring is still there"


def alone(does: Callable[[Talk], None], m: type[CollectorM]) -> Program:
    """What one thread does for three goroutines."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        talk = Talk(machine, m)
        return atonce(lambda: does(talk))

    return program


def handing(m: type[CollectorM], ring: int) -> Program:
    """A sender and a receiver, of two values."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, mutators=2), m)
        world, (one, other) = small.world, small.model.mutators
        c = makechan(machine, "chan", world.bss, 0, ring)
        got: list[int] = []

        def sends(me: CollectorM) -> None:
            slot = me.call(1)
            for value in (8, 16):
                me.port.words[slot] = value
                me.chansend(c, slot)

        def receives(me: CollectorM) -> None:
            slot = me.call(1)
            for _ in range(2):
                me.chanrecv(c, slot)
                got.append(me.port.words[slot])

        machine.spawn(lambda port: m(port, world, one).mstart(sends), "sender")
        machine.spawn(lambda port: m(port, world, other).mstart(receives), "receiver")

        def check() -> None:
            assert got == [8, 16], "other values were received than sent, or in another order"
            assert not machine.peek(c + CHAN.qcount), "what was taken out of the ring is still counted"

        return check

    return program


RACES = {
    "unbuffered": Race(CollectorM, lambda m: alone(unbuffered, m)),
    "buffered": Race(CollectorM, lambda m: alone(buffered, m)),
    "handing": Race(CollectorM, lambda m: handing(m, 0)),
    "handing-ring": Race(CollectorM, lambda m: handing(m, 1)),
}
"""By name; the first two have no schedules."""
