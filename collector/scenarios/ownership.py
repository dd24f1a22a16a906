"""Scenario: what the ownership checks catch, and what they miss.  (O-14; S23.)

A buffer is in use exactly when it is in a hand or in a cache.  Mistakes of one thread are always caught, each by the
check that is there for it: a buffer put twice, a listed buffer got from elsewhere, an empty one put on full, a filled
one put on empty, a count that no buffer has.  The flag is read and set in two plain steps, so two threads that a faulty
list gives one buffer to may both find it clear: then nothing throws.  With a correct list no two threads get one buffer.

Modelled.  Each mistake is what one thread does; last, two threads pop one list whose pop is not atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.lfstack import PopByStore
from collector.fixtures.pool import SMALL
from collector.fixtures.show import show
from collector.scenarios.scenario import Scenario, Variant
from workbuf.boot import BootPort
from workbuf.buffer import NOBJ, capacity
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def mistake(makes: Callable[[Lists, int], object]) -> Program:
    """One thread gets an empty buffer and does something with it."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        record = MLOCAL.allocate(machine, "m0")
        Lists(BootPort(machine), world, record).putempty(Lists(BootPort(machine), world, record).getempty(359), 496)
        show(machine, world, ms=[record])

        def body(port: Port) -> None:
            me = Lists(port, world, record)
            makes(me, me.getempty(1181))

        machine.spawn(body, "m0")

    return program


def putstwice(me: Lists, b: int) -> None:
    """The second time it is another's."""
    me.putempty(b, 496)
    me.putempty(b, 877)


def pusheslogged(me: Lists, b: int) -> None:
    """Pushed without a word, it counts as in use when somebody gets it."""
    me.lfstackpush(me.work_empty, b)
    me.getempty(915)


def putsfilled(me: Lists, b: int) -> None:
    """It holds an entry."""
    me.port.words[b + NOBJ] = 1
    me.putempty(b, 496)


def putsdrained(me: Lists, b: int) -> None:
    """It holds none."""
    me.putfull(b, 358)


def miscounts(me: Lists, b: int) -> None:
    """It holds more than it can."""
    me.port.words[b + NOBJ] = capacity(SMALL) + 1
    me.putpartial(b, 670)


def behaves(me: Lists, b: int) -> None:
    """Fills it, puts it, gets it back."""
    me.port.words[b + NOBJ] = 1
    me.putpartial(b, 670)
    b = me.getpartialorempty(1181)
    me.port.words[b + NOBJ] = 0
    me.putempty(b, 496)


class Unsafe(PopByStore, Lists):
    """Lists whose pop is a load and a store."""


def unnoticed(m: type[Lists]) -> Program:
    """Two threads take a buffer from a list that has one.  A throw is what should come, so only the rest counts."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        boot = Lists(BootPort(machine), world, records[0])
        b = boot.getempty(359)
        machine.poke(b + NOBJ, 1)
        boot.putfull(b, 358)
        show(machine, world, ms=records)
        got: list[int] = []

        def takes(record: int) -> Callable[[Port], None]:
            def body(port: Port) -> None:
                try:
                    b = m(port, world, record).popfull(504)
                except Throw:
                    return
                if b:
                    got.append(b)

            return body

        for i, record in enumerate(records):
            machine.spawn(takes(record), f"m{i}")

        def check() -> None:
            assert len(got) < 2, "two own a buffer, and no check has noticed"

        return check

    return program


SCENARIO = Scenario(
    name="ownership",
    title="The ownership checks catch every mistake of one thread, and not all of two",
    bugs=("S23", "O-14"),
    variants={
        "failing": Variant(mistake(putstwice), fails="logput: put not legal"),
        "failing-get": Variant(mistake(pusheslogged), fails="logget: get not legal"),
        "failing-filled": Variant(mistake(putsfilled), fails="workbuf is not empty"),
        "failing-drained": Variant(mistake(putsdrained), fails="workbuf is empty"),
        "failing-count": Variant(mistake(miscounts), fails="putpartial: bad Workbuf b.nobj"),
        "failing-unnoticed": Variant(unnoticed(Unsafe), fails="no check has noticed", races=False, plain_points=True),
        "fixed": Variant(mistake(behaves)),
        "fixed-list": Variant(unnoticed(Lists)),
    },
)
