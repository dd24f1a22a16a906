"""Scenario: those who wait in getfull do not look at partial.  (K-3; S8, 653426f08f.)

The wait loop wakes up for full only.  Go called that safe, as nothing puts work on partial in mark termination.  Where
something does, nothing is lost, because whoever puts work there looks there again before it waits; but who waits
already does not help, and the other does it all alone.  Go's loop looks at both since.

Modelled.  Two participants; the first puts four buffers on partial, one after the other, while the second waits.
Counted.  Buffers that the first one drains itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.pool import SMALL, buffer, decides_nothing, link
from collector.fixtures.show import show
from collector.scenarios.outsider import LooksAtBoth
from collector.scenarios.scenario import COST, Cost, Scenario, Variant
from workbuf.buffer import NOBJ
from workbuf.getfull import Getfull
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

BUFFERS = 4
WORK_OF_ONE = 5
"""Steps that it takes to scan what is in a buffer."""


def shared(m: type[Getfull], figures: list[float] | None = None) -> Program:
    """`figures` is told how many buffers the first participant has drained."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        machine.poke(world.work + WORK.nproc, 2)
        buffers = [buffer(machine, i) for i in range(BUFFERS)]
        link(machine, world.work + WORK.empty, buffers)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        drained = machine.alloc(2, "drained")
        heap = machine.word(0, "heap")
        decides_nothing(machine, buffers, records)
        show(machine, world, "full", "partial", "empty", ms=records)

        def participates(port: Port, number: int) -> None:
            me = m(port, world, records[number])
            if number == 0:
                for _ in range(BUFFERS):
                    b = me.getempty(1181)
                    port.words[b + NOBJ] = 1
                    me.putpartial(b, 1191)
                    for _ in range(WORK_OF_ONE):
                        port.load(heap)
            while b := me.getfull(504):
                for _ in range(WORK_OF_ONE):
                    port.load(heap)
                port.xadd(drained + number, 1)
                port.words[b + NOBJ] = 0
                me.putempty(b, 496)

        for number in range(2):
            machine.spawn(lambda port, number=number: participates(port, number), f"m{number}")  # type: ignore[misc]

        def check() -> None:
            first, second = machine.peek(drained), machine.peek(drained + 1)
            # A buffer that comes back empty at once is filled again.
            assert first + second == BUFFERS, "a buffer was not drained"
            if figures is not None:
                figures.append(first)

        return check

    return program


SCENARIO = Scenario(
    name="partialblind",
    title="A waiter that does not look at partial leaves the work there to whoever has put it there",
    bugs=("S8", "K-3"),
    variants={
        "seed": Variant(shared(Getfull), exhaustible=False),
        "fixed": Variant(shared(LooksAtBoth), exhaustible=False),
    },
    kind=COST,
    costs=(
        Cost(
            "buffers, of 4 on partial, drained by the participant that has put them there while another waits",
            seed=lambda figures: shared(Getfull, figures),
            fix=lambda figures: shared(LooksAtBoth, figures),
        ),
    ),
)
