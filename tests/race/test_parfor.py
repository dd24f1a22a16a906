"""The parallel for by two threads: every index once, in both wait modes.  (I12; S26.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.parfor import LOW32, THR, Parfor, parforalloc, thr
from workbuf.boot import BootPort


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]

THREADS = 2


class Two(Parfor):
    """Two threads' parfor, with no world around it: it asks an M for its port and its random numbers.

    It leaves the totals alone: five additions that commute and decide nothing, and make 32 interleavings of each.
    """

    nthrmax = THREADS

    def __init__(self, port: Port) -> None:  # no super: there is no world
        self.port = port
        self.fastrand = 1

    def addstatistics(self, desc: int, me: int) -> None:
        """Nothing."""


def loop(machine: SteppedMachine, n: int, m: type[Two], *, wait: bool) -> Check:
    """Two threads, `n` indices; with `wait` nobody may come back before all have been executed."""
    desc = parforalloc(machine, THREADS)
    m(BootPort(machine)).parforsetup(desc, THREADS, n, wait=wait, body=print)
    executed = machine.word(0, "executed")
    indices: list[list[int]] = [[] for _ in range(THREADS)]

    def part(mine: list[int]) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            def run(i: int) -> None:
                mine.append(i)
                if wait:
                    port.xadd(executed, 1)

            m(port).parfordo(desc, run)
            if wait:
                assert port.load(executed) == n, "a thread has left before all was executed"

        return body

    for number, mine in enumerate(indices):  # each has a list of its own: they share nothing in Python
        machine.spawn(part(mine), f"thread{number}")

    def check() -> None:
        assert sorted(i for some in indices for i in some) == list(range(n)), "not every index was executed once"

    return check


@pytest.mark.race(exhaust=True, early=0)  # with pauses that end early there are too many interleavings
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_once(machine: SteppedMachine, n: int) -> Check:
    """Every index is executed exactly once."""
    return loop(machine, n, Two, wait=False)


@pytest.mark.race(exhaust=True, early=0)  # as above
@pytest.mark.parametrize("n", [1, 2, 3])
def test_once_before_anybody_leaves(machine: SteppedMachine, n: int) -> Check:
    """The same, and with `wait` nobody comes back before that."""
    return loop(machine, n, Two, wait=True)


class Grasping(Two):
    """A thief that stores the victim's shortened piece instead of swapping it in."""

    def steal(self, desc: int, tid: int, nthr: int) -> bool:
        """One look at the other's piece."""
        port = self.port
        at = thr(desc, nthr - 1 - tid) + THR.pos
        pos = port.load(at)
        begin, end = pos & LOW32, pos >> 32
        if begin + 1 >= end:
            return False
        mid = begin + (end - begin) // 2
        port.store(at, begin | mid << 32)
        port.store(thr(desc, tid) + THR.pos, mid | end << 32)
        return True


@pytest.mark.race(strategy="dpor", fails="not every index was executed once")
def test_grasping(machine: SteppedMachine) -> Check:
    """A steal by store undoes the claim that its owner makes meanwhile."""
    return loop(machine, 4, Grasping, wait=False)


class Hasty(Two):
    """Leaves when its own piece is done."""

    def steal(self, desc: int, tid: int, nthr: int) -> bool:
        """Neither looks nor waits."""
        del desc, tid, nthr
        return False


@pytest.mark.race(strategy="dpor", fails="left before all was executed")
def test_hasty(machine: SteppedMachine) -> Check:
    """Who does not wait comes back while another still works."""
    return loop(machine, 2, Hasty, wait=True)
