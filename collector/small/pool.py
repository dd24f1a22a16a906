"""A program for the termination barrier: participants take buffers by getfull, drain them, and publish a few more.

The scenarios of the termination barrier share it.  A buffer's first entry says how many more buffers its holder will
publish.  When getfull returns 0, every buffer must be back on the empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.buffers import onlist
from collector.small.show import show
from workbuf.buffer import LOG0, LOG3, NOBJ, OBJ, WORKBUF
from workbuf.lfstack import pack
from workbuf.local import MLOCAL, WORK, Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.getfull import Getfull
    from workbuf.machine import Port

SMALL = 112
"""Bytes of the smallest workbuf that gcinit accepts: five entries."""


def pool(m: type[Getfull], participants: int, more: int, *, late: bool = False) -> Program:
    """One buffer on full whose holder publishes one more, and so on `more` times.

    With `late` the first participant has it in hand and publishes it when the others may be waiting.
    """

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=SMALL)
        work = world.work
        machine.poke(work + WORK.nproc, participants)
        buffers = [buffer(machine, i) for i in range(more + 1)]
        first, *spare = buffers
        machine.poke(first + NOBJ, 1)
        machine.poke(first + OBJ, more)
        if late:
            machine.poke(first + WORKBUF.inuse, 1)
        else:
            link(machine, work + WORK.full, [first])
        link(machine, work + WORK.empty, spare)

        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(participants)]
        decides_nothing(machine, buffers, records)
        show(machine, world, "full", "empty", ms=records)

        def drained() -> bool:
            return sorted(onlist(work + WORK.empty, machine.mem, len(buffers))) == buffers

        def participant(number: int) -> Callable[[Port], None]:
            def body(port: Port) -> None:
                me = m(port, world, records[number])
                if late and number == 0:
                    me.putfull(first, 942)
                while True:
                    b = me.getfull(504)
                    if not b:
                        # A step before the check, so that an early end shows in every equivalent interleaving.
                        port.hint(work + WORK.empty)
                        assert drained(), "the mark ended early: a buffer is not back on empty"
                        return
                    left = port.words[b + OBJ]
                    port.words[b + NOBJ] = port.words[b + OBJ] = 0
                    if left:
                        fresh = me.getempty(915)
                        port.words[fresh + OBJ] = left - 1
                        port.words[fresh + NOBJ] = 1
                        me.putfull(fresh, 942)
                    me.putempty(b, 496)

            return body

        for number in range(participants):
            machine.spawn(participant(number), f"m{number}")

        def check() -> None:
            assert machine.peek(work + WORK.nwait) == participants, "nwait is not nproc at the end"

        return check

    return program


def decides_nothing(machine: SteppedMachine, buffers: list[int], records: list[int]) -> None:
    """Where the protocol keeps what only people read, and how long a turn of getfull's loop waits."""
    for b in buffers:
        machine.statistics.update(range(b + LOG0, b + LOG3 + 1))
    for record in records:
        machine.statistics.update(range(record + MLOCAL.nhandoff, record + MLOCAL.nsleep + 1))
    machine.uncounted.add("turn")


def buffer(machine: SteppedMachine, number: int) -> int:
    """A zeroed buffer of SMALL bytes that no list has."""
    return machine.alloc(SMALL // 8, f"wbuf{number}", WORKBUF.fields, align=8)


def link(machine: SteppedMachine, head: int, buffers: list[int]) -> None:
    """Put buffers on the list at `head`, as pushes would have."""
    for b in buffers:
        machine.poke(b, machine.peek(head))
        machine.poke(b + 1, 1)
        machine.poke(head, pack(b * 8, 1))
