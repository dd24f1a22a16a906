"""getpartialorempty against putpartial, every interleaving.  (I1 to I3.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.audit import buffers
from collector.fixtures.pool import SMALL
from collector.fixtures.show import show
from workbuf.boot import BootPort, BootWords
from workbuf.buffer import NOBJ, OBJ, capacity
from workbuf.events import PARTIAL, Event
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


def producers(machine: SteppedMachine, threads: int, entries: int, kind: type[Lists] = Lists) -> Check:
    """Each takes a buffer with room and adds an entry; the first then puts it back, takes one again and adds nothing.

    To begin with, one buffer with that many entries is on partial and one on empty.
    """
    world = Globals.allocate(machine, wbufsize=SMALL)
    records = [MLOCAL.allocate(machine, f"m{i}") for i in range(threads)]
    boot = Lists(BootPort(machine), world, records[0])
    first, other = boot.getempty(359), boot.getempty(359)
    for i in range(entries):
        machine.poke(first + OBJ + i, 100 + i)
    machine.poke(first + NOBJ, entries)
    boot.putpartial(first, 670)
    boot.putempty(other, 496)
    show(machine, world, ms=records)

    def producer(number: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            me, words = kind(port, world, records[number]), port.words
            b = me.getpartialorempty(1181)
            n = words[b + NOBJ]
            words[b + OBJ + n] = number
            words[b + NOBJ] = n + 1
            me.putpartial(b, 1191)
            if number == 0:
                me.putpartial(me.getpartialorempty(1181), 1191)

        return body

    for number in range(threads):
        machine.spawn(producer(number), f"m{number}")

    def check() -> None:
        words = BootWords(machine)
        where = buffers.check(world, words, records)
        queued = [words[b + OBJ + i] for b in where.made for i in range(words[b + NOBJ])]
        assert sorted(queued) == [*range(threads), *range(100, 100 + entries)], "an entry is lost or doubled"

    return check


@pytest.mark.race(exhaust=True, threads=2)
@pytest.mark.parametrize("entries", [1, capacity(SMALL) - 1])
def test_producers(machine: SteppedMachine, threads: int, entries: int) -> Check:
    """Buffers that are put on partial, and on full when they become full, are in one place and keep what they hold."""
    return producers(machine, threads, entries)


class PushFirst(Lists):
    """A putpartial that pushes the buffer and then signs it off."""

    def putpartial(self, b: int, entry: int) -> None:
        """In the wrong order."""
        if self.port.words[b + NOBJ] == 0:
            self.putempty(b, entry)
            return
        self.lfstackpush(self.work_partial, b)
        self.logput(b, entry)
        self.port.event(Event.PUT, b, entry, PARTIAL)


@pytest.mark.race(strategy="dpor", threads=2, races=False, plain_points=True, fails="logget: get not legal")
def test_push_first(machine: SteppedMachine, threads: int) -> Check:
    """A buffer that is pushed while still in use may be taken while still in use."""
    return producers(machine, threads, 1, PushFirst)


@pytest.mark.race(strategy="dpor", threads=2, fails="race: ")
def test_touched_after_push(machine: SteppedMachine, threads: int) -> Check:
    """What its former owner writes to it then is a race, even where nothing comes of it."""
    return producers(machine, threads, 1, PushFirst)
