"""Semaphore: no more inside than the count says, and no wake-up is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.semaphore import Semaphore


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


class LooksTooEarly(Semaphore):
    """Planted: whether anybody waits is asked before the count goes up."""

    def release(self, port: Port) -> None:
        waiting = port.load(self.waiters)
        port.xadd(self.count, 1)
        if waiting:
            self.wakeone(port)


def inside(machine: SteppedMachine, sema: Semaphore, threads: int, count: int) -> Check:
    """Each of `threads` acquires, is inside, and releases."""
    within = machine.word(0, "within")

    def body(port: Port) -> None:
        sema.acquire(port)
        assert port.xadd(within, 1) <= count, "too many inside"
        port.xadd(within, -1)
        sema.release(port)

    for _ in range(threads):
        machine.spawn(body)

    def check() -> None:
        assert machine.peek(sema.count) == count
        assert machine.peek(sema.waiters) == 0

    return check


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize("count", [1, 2])
def test_as_many_as_the_count_says(machine: SteppedMachine, count: int) -> Check:
    """Two threads, and in the end it is as it was."""
    return inside(machine, Semaphore(machine, count, threads=2), 2, count)


@pytest.mark.race(fails="sleeps on sema")
def test_a_lost_wakeup(machine: SteppedMachine) -> Check:
    """Who is about to sleep has not been seen, and sees no count."""
    return inside(machine, LooksTooEarly(machine, 1, threads=2), 2, 1)


@pytest.mark.race(exhaust=True)
def test_what_is_released_was_written_before(machine: SteppedMachine) -> None:
    """A plain word is handed over, and back."""
    there, back = Semaphore(machine, 0, "there", 2), Semaphore(machine, 0, "back", 2)
    x = machine.word(0, "x")

    def asks(port: Port) -> None:
        port.words[x] = 1
        there.release(port)
        back.acquire(port)
        assert port.words[x] == 2

    def answers(port: Port) -> None:
        there.acquire(port)
        port.words[x] += 1
        back.release(port)

    machine.spawn(asks, "asks")
    machine.spawn(answers, "answers")
