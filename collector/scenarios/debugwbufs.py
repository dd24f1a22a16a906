"""Scenario: what the ownership checks and their history cost.  (K-32, O-14; 5b66e5d0d8.)

`_Debugwbufs` is on at the seed: whoever takes a buffer off a list, or is about to put it on one, checks a flag, flips
it and shifts four words of history.  Go switched it off three months later and took it out in 2016.  With the checks off,
a buffer that is put twice is not noticed when it happens, and two threads get it: `failing-off`.

Modelled.  One thread that gets and puts buffers; two threads that get what was put twice.  Counted.  Plain accesses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL
from collector.fixtures.show import show
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from workbuf.boot import BootPort
from workbuf.lists import Lists
from workbuf.local import MLOCAL, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port, Words


class Off(Lists):
    """Without flag and history."""

    _Debugwbufs = False


class Counting:
    """Plain access, counted."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.accesses = 0

    def __getitem__(self, a: int) -> int:
        self.accesses += 1
        return self.words[a]

    def __setitem__(self, a: int, v: int) -> None:
        self.accesses += 1
        self.words[a] = v


def pairs(m: type[Lists], figures: list[float] | None = None) -> Program:
    """Gets and puts an empty buffer; `figures` is told how many plain accesses that takes."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        world.persistentchunk = 1024
        record = MLOCAL.allocate(machine, "m0")
        port = BootPort(machine)
        boot = m(port, world, record)
        boot.putempty(boot.getempty(359), 496)
        port.words = counting = Counting(port.words)
        boot.putempty(boot.getempty(1181), 496)
        show(machine, world, ms=[record])

        def body(port: Port) -> None:
            me = m(port, world, record)
            me.putempty(me.getempty(1181), 496)

        machine.spawn(body, "m0")

        def check() -> None:
            assert counting.accesses, "nothing was counted"
            if figures is not None:
                figures.append(counting.accesses)

        return check

    return program


def puttwice(m: type[Lists]) -> Program:
    """A buffer is put twice; then two threads get one each."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        world.persistentchunk = 1024
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        b = Lists(BootPort(machine), world, records[0]).getempty(359)
        got = machine.alloc(2, "got")
        show(machine, world, ms=records)

        def puts(port: Port) -> None:
            me = m(port, world, records[0])
            me.putempty(b, 496)
            me.putempty(b, 877)
            port.spawn(lambda port: gets(port, 0), "m0")
            port.spawn(lambda port: gets(port, 1), "m1")

        def gets(port: Port, number: int) -> None:
            port.store(got + number, m(port, world, records[number]).getempty(1181))

        machine.spawn(puts, "putter")

        def check() -> None:
            assert machine.peek(got) != machine.peek(got + 1), "two threads own a buffer that was put twice"

        return check

    return program


SCENARIO = Scenario(
    name="debugwbufs",
    title="What the ownership checks cost, and what is not noticed without them",
    bugs=("K-32", "O-14"),
    variants={
        "failing-off": Variant(puttwice(Off), fails="two threads own a buffer", races=False),
        "failing-on": Variant(puttwice(Lists), fails="logput: put not legal"),
        "fixed": Variant(pairs(Lists)),
    },
    kind=COST,
    costs=(
        Cost(
            "plain accesses to get and put a buffer: with the ownership checks, and without",
            seed=lambda figures: pairs(Lists, figures),
            fix=lambda figures: pairs(Off, figures),
            schedules=1,
        ),
    ),
)
