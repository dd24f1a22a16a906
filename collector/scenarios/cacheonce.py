"""Scenario: getfull looks into its own cache once, before it waits.  (O-17.)

Not inside the loop.  It is right because nothing runs on an M that waits, so nothing fills its cache.  `failing` takes
that away: something on the waiting M, such as a signal's handler with a barrier in it, leaves a buffer in its cache;
all wait, and the mark ends with work in a cache.

Modelled.  Two participants without work, and what fills the cache of the first: itself before it waits, or another
thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, buffer, decides_nothing
from collector.fixtures.show import show
from collector.scenarios.scenario import SOUND, Scenario, Variant
from workbuf.buffer import INUSE, NOBJ
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def filled(*, waiting: bool) -> Program:
    """The first M's cache is filled while it waits, or just before."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 2)
        b = buffer(machine, 0)
        machine.poke(b + NOBJ, 1)
        machine.poke(b + INUSE, 1)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        decides_nothing(machine, [b], records)
        show(machine, world, ms=records)
        left = machine.word(1, "entries left")

        def participates(port: Port, number: int) -> None:
            me = Getfull(port, world, records[number])
            if number == 0 and not waiting:
                me.cache(b)
            while got := me.getfull(504):
                port.words[got + NOBJ] = 0
                port.xadd(left, -1)
                me.putempty(got, 496)
            assert port.load(left) == 0, "the mark ended early: work is in the cache of an M that waits"

        for number in range(2):
            machine.spawn(lambda port, number=number: participates(port, number), f"m{number}")  # type: ignore[misc]
        if waiting:
            machine.spawn(lambda port: Getfull(port, world, records[0]).cache(b), "signal on m0")

    return program


SCENARIO = Scenario(
    name="cacheonce",
    title="getfull may look into its cache once only, because nothing fills the cache of an M that waits",
    bugs=("O-17",),
    variants={
        "failing": Variant(filled(waiting=True), fails="cache of an M that waits"),
        "fixed": Variant(filled(waiting=False)),
    },
    kind=SOUND,
)
