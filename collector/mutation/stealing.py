"""Race programs of the parallel for: who steals from whom, how long a thread looks for work, and who counts as idle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from collector.mutation.race import Race, atonce
from collector.mutation.sharing import Waiting
from collector.parfor import PARFOR, THR, Parfor, parforalloc, thr
from mutator.world import MRECORD
from workbuf.boot import BootPort
from workbuf.local import Globals
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Machine, Port

THREADS = 2
PIECE = 4
"""Turns of a piece of which half is stolen."""
LAST = 1 << 32
"""A piece of one turn."""
ENDLESS = 100
"""Pauses of a thread for which the other does not come to an end; else there are few more than `IDLE`."""
PATIENT = [Pause.PROCYIELD] * (3 * THREADS)
"""The pauses of a thread that finds nothing, before it leaves or counts as idle."""
IDLE = [*PATIENT, *[Pause.OSYIELD] * (2 * THREADS), *[Pause.USLEEP] * 3]
"""Those of one that stays for a while, because others still have turns."""


class Loop:
    """A loop of two threads that has no turns yet."""

    def __init__(self, machine: Machine, m: type[Parfor], *, wait: bool) -> None:
        self.machine = machine
        self.m = m
        self.world = Globals.allocate(machine)
        self.desc = parforalloc(machine, m.nthrmax)
        self.records = [MRECORD.allocate(machine, f"m{i}") for i in range(THREADS)]
        self.thread(BootPort(machine), 0).parforsetup(self.desc, THREADS, 0, wait=wait, body=print)

    def thread(self, port: Port, tid: int) -> Parfor:
        """One of the two."""
        return self.m(port, self.world, self.records[tid])

    def piece(self, tid: int) -> int:
        """The cell of its piece."""
        return thr(self.desc, tid) + THR.pos

    @property
    def done(self) -> int:
        """The cell of how many are idle."""
        return self.desc + PARFOR.done

    def steals(self, port: Port, tid: int) -> bool:
        """Its own piece has run out, and it looks for work."""
        return self.thread(port, tid).steal(self.desc, tid, THREADS)


class Impatient:
    """A port for which a wait that does not end is a failure: `turn` grows in it, so no state comes again."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.left = ENDLESS

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def pause(self, kind: Pause, n: int) -> None:
        """One fewer."""
        self.left -= 1
        assert self.left, "a thread waits for ever"
        self.port.pause(kind, n)


def robbing(m: type[Parfor]) -> Program:
    """Each of the two steals the upper half of the other's piece."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        loop = Loop(machine, m, wait=False)

        def robs() -> None:
            for tid in range(THREADS):
                mine, others = loop.piece(tid), loop.piece(1 - tid)
                machine.poke(mine, 0)
                machine.poke(others, PIECE << 32)
                port = Waiting(machine, int, len(PATIENT))
                assert loop.steals(cast("Port", port), tid), "a thread leaves although there is something to steal"
                pieces = [machine.peek(at) for at in (others, mine)]
                assert pieces == [PIECE // 2 << 32, PIECE // 2 | PIECE << 32], "it has stolen something else"

        return atonce(robs)

    return program


def looking(m: type[Parfor]) -> Program:
    """Who finds nothing but a last turn, which is its owner's, spins; then it leaves.

    Or, where all wait, it yields, sleeps, and counts as idle until all do.
    """

    def program(machine: SteppedMachine) -> Callable[[], object]:
        def looked(*, wait: bool) -> tuple[list[Pause], int]:
            loop = Loop(machine, m, wait=wait)
            machine.poke(loop.piece(1), LAST)

            def meanwhile(pauses: int) -> None:
                if pauses == len(IDLE):
                    machine.poke(loop.done, THREADS)

            port = Waiting(machine, meanwhile, len(IDLE))
            assert not loop.steals(cast("Port", port), 0), "a thread has stolen something where there is nothing"
            assert machine.peek(loop.piece(1)) == LAST, "the last turn was taken from its owner"
            return port.pauses, machine.peek(loop.done)

        def both() -> None:
            assert looked(wait=False) == (PATIENT, 1), "a thread does not leave in time, or is not counted"
            assert looked(wait=True) == (IDLE, THREADS), "a thread does not wait for the others, or is counted twice"

        return atonce(both)

    return program


def counting(m: type[Parfor], *, wait: bool) -> Program:
    """Neither of the two finds anything; each counts as idle once, and leaves."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        loop = Loop(machine, m, wait=wait)
        for tid in range(THREADS):
            machine.spawn(lambda port, tid=tid: loop.steals(cast("Port", Impatient(port)), tid), f"m{tid}")  # type: ignore[misc]
        return lambda: counted(loop)

    return program


def late(m: type[Parfor]) -> Program:
    """An idle thread comes to steal while the owner runs out and leaves: in the end both are idle, and counted once."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        loop = Loop(machine, m, wait=True)
        owner = loop.piece(0)
        machine.poke(owner, 2 << 32)
        machine.poke(loop.done, 1)

        def owns(port: Port) -> None:
            port.xadd(owner, 3)  # three claims, of which the last fails
            loop.steals(port, 0)

        def robs(port: Port) -> None:
            if not loop.thread(port, 1).stealfrom(owner, loop.done, idle=True)[1]:
                port.xadd(loop.done, 1)

        machine.spawn(owns, "owner")
        machine.spawn(robs, "thief")
        return lambda: counted(loop)

    return program


def counted(loop: Loop) -> None:
    """Each of the two counts as idle, once."""
    assert loop.machine.peek(loop.done) == THREADS, "not each of the two is counted once"


RACES = {
    "robbing": Race(Parfor, robbing),
    "looking": Race(Parfor, looking),
    "late": Race(Parfor, late),
    "leaving": Race(Parfor, partial(counting, wait=False)),
    "staying": Race(Parfor, partial(counting, wait=True)),
}
"""By name; the first two have no schedules."""
