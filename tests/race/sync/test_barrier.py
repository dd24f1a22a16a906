"""Barrier: nobody is a round ahead, round after round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.barrier import Barrier


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class ResetsLate(Barrier):
    """Planted: the next round begins before the count is set back."""

    def release(self, port: Port, now: int) -> None:
        port.store(self.round, now + 1)
        port.store(self.arrived, 0)


def rounds(machine: SteppedMachine, barrier: Barrier, n: int) -> None:
    """Every thread writes its own plain word, and after the barrier reads the others'."""
    reached = machine.alloc(barrier.parties, "reached")

    def body(port: Port) -> None:
        for r in range(n):
            port.words[reached + port.index] = r + 1
            barrier.wait(port)
            assert all(port.words[reached + t] == r + 1 for t in range(barrier.parties))
            barrier.wait(port)

    for _ in range(barrier.parties):
        machine.spawn(body)


@pytest.mark.race(exhaust=True, threads=2)
def test_nobody_is_ahead(machine: SteppedMachine, threads: int) -> None:
    """Two rounds: a barrier before what is read, and one after it."""
    rounds(machine, Barrier(machine, threads), 1)


@pytest.mark.race(exhaust=True, threads=3)
def test_of_three(machine: SteppedMachine, threads: int) -> None:
    """Once."""
    barrier = Barrier(machine, threads)
    for _ in range(threads):
        machine.spawn(barrier.wait)


@pytest.mark.race(fails="livelock")
def test_a_count_that_is_set_back_late(machine: SteppedMachine) -> None:
    """Somebody is back before: what it counted is wiped out, and the next round never begins."""
    rounds(machine, ResetsLate(machine, 2), 1)
