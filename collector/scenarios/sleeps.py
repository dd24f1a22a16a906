"""Scenario: getfull's loop polls.  (K-21; Go's issue 13842, 62ba520b23, 457c8f4fe9.)

One that waits looks again and again, with PAUSE instructions, yields and sleeps of 100 us, although it is nearly always
others that have changed what it looks at, and have taken what there was.  Go took the barrier out of the concurrent
mark, and in 2018 deleted it.  Here the remedy is the usual one: who waits sleeps on a note, and who puts a buffer on
full wakes one.

Modelled.  Two participants; one puts a buffer on full, takes it back and drains it, several times, while the other
waits. Counted.  Turns of the loop in which the other finds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, buffer, decides_nothing
from collector.fixtures.show import show
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from workbuf.buffer import INUSE, NOBJ
from workbuf.getfull import Getfull
from workbuf.layout import Struct
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

WAITERS = Struct("waiters", "lock", "asleep", "note0", "note1")
"""`asleep` has a bit for each M that sleeps."""
ROUNDS = 4


class Polls(Getfull):
    """getfull as it is."""

    waiters = number = 0

    def turns(self) -> int:
        """In vain."""
        words = self.port.words
        return sum(words[self.record + at] for at in (MLOCAL.nprocyield, MLOCAL.nosyield, MLOCAL.nsleep))


class Sleeps(Polls):
    """Sleeps until somebody has work for it, or all sleep."""

    invain = 0

    def getfull(self, entry: int) -> int:
        port, words, waiters = self.port, self.port.words, self.waiters
        while not (b := self.popfull(entry) or self.poppartial(entry)):
            port.lock(waiters + WAITERS.lock)
            if port.load(self.work_full):
                port.unlock(waiters + WAITERS.lock)
                continue
            if port.xadd(self.work_nwait, 1) == words[self.work_nproc]:
                self.wakeall()
                port.unlock(waiters + WAITERS.lock)
                return 0
            words[waiters + WAITERS.asleep] |= 1 << self.number
            port.unlock(waiters + WAITERS.lock)
            note = waiters + WAITERS.note0 + self.number
            port.sleep(note)
            words[note] = 0
            if port.load(self.work_nwait) == words[self.work_nproc]:
                return 0
            self.invain += not port.hint(self.work_full)
        return b

    def putfull(self, b: int, entry: int) -> None:
        super().putfull(b, entry)
        port, words, waiters = self.port, self.port.words, self.waiters
        port.lock(waiters + WAITERS.lock)
        asleep = words[waiters + WAITERS.asleep]
        if asleep:
            number = asleep.bit_length() - 1
            words[waiters + WAITERS.asleep] = asleep & ~(1 << number)
            port.xadd(self.work_nwait, -1)  # for the one that is woken, which no longer waits
            port.wake(waiters + WAITERS.note0 + number)
        port.unlock(waiters + WAITERS.lock)

    def wakeall(self) -> None:
        """The mark is over; the caller holds the lock."""
        asleep = self.port.words[self.waiters + WAITERS.asleep]
        self.port.words[self.waiters + WAITERS.asleep] = 0
        for number in range(asleep.bit_length()):
            if asleep >> number & 1:
                self.port.wake(self.waiters + WAITERS.note0 + number)

    def turns(self) -> int:
        return self.invain


def waited(m: type[Polls], figures: list[float] | None = None) -> Program:
    """`figures` is told the second participant's turns."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 2)
        b = buffer(machine, 0)
        machine.poke(b + INUSE, 1)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        waiters = WAITERS.allocate(machine, "waiters")
        turns, left = machine.word(0, "turns"), machine.word(ROUNDS, "left")
        decides_nothing(machine, [b], records)
        show(machine, world, "full", "empty", ms=records)

        def participates(port: Port, number: int) -> None:
            me = m(port, world, records[number])
            me.waiters, me.number = waiters, number
            words = port.words
            if number == 0:
                words[b + NOBJ] = 1
                me.putfull(b, 942)
            while got := me.getfull(504):
                if port.xadd(left, -1):
                    me.putfull(got, 942)
                else:
                    words[got + NOBJ] = 0
                    me.putempty(got, 496)
            if number == 1:
                port.store(turns, me.turns())

        for number in range(2):
            machine.spawn(lambda port, number=number: participates(port, number), f"m{number}")  # type: ignore[misc]

        def check() -> None:
            assert machine.peek(left) == 0, "the mark ended early"
            if figures is not None:
                figures.append(machine.peek(turns))

        return check

    return program


SCENARIO = Scenario(
    name="sleeps",
    title="Who waits in getfull polls",
    bugs=("K-21", "#13842"),
    variants={
        "seed": Variant(waited(Polls), exhaustible=False),
        "fixed": Variant(waited(Sleeps), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "turns of a waiter in vain, while a buffer is given away four times",
            seed=lambda figures: waited(Polls, figures),
            fix=lambda figures: waited(Sleeps, figures),
        ),
    ),
)
