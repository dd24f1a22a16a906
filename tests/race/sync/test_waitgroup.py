"""Wait groups: whoever waits goes on when all others are through, and then knows what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.waitgroup import COUNT, WaitGroup
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class CountsLater(WaitGroup):
    """Planted: whether there is something to wait for, and that one waits for it, are two steps."""

    def wait(self, port: Port) -> None:
        if port.load(self.state) >> COUNT:
            port.xadd(self.state, 1)
            self.sema.acquire(port)


def forked(machine: SteppedMachine, group: WaitGroup, workers: int) -> None:
    """A thread starts workers, each of whom writes a plain word, and joins them."""
    done = machine.alloc(workers, "done")

    def starts(port: Port) -> None:
        for k in range(workers):

            def work(port: Port, k: int = k) -> None:
                port.words[done + k] = k + 1

            group.go(port, work, f"worker {k}")
        group.wait(port)
        assert [port.words[done + k] for k in range(workers)] == [*range(1, workers + 1)]

    machine.spawn(starts, "starts")


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_all_are_through(machine: SteppedMachine, workers: int) -> None:
    """What the workers wrote plainly is read after the join."""
    forked(machine, WaitGroup(machine, threads=1), workers)


@pytest.mark.race(schedules=500)
def test_two_wait(machine: SteppedMachine) -> None:
    """Both are let go, in samples of many schedules."""
    group = WaitGroup(machine, threads=3)
    machine.poke(group.state, 1 << COUNT)
    machine.spawn(group.wait, "waits")
    machine.spawn(group.wait, "waits too")
    machine.spawn(group.done, "done")


@pytest.mark.race(fails="sleeps on group.sema")
def test_a_waiter_that_is_counted_too_late(machine: SteppedMachine) -> None:
    """The last worker has looked for waiters before."""
    forked(machine, CountsLater(machine, threads=1), 1)


@pytest.mark.race(exhaust=True)
def test_more_done_than_added(machine: SteppedMachine) -> None:
    """Is said, as Go does."""
    group = WaitGroup(machine, threads=1)

    def body(port: Port) -> None:
        with pytest.raises(Throw, match="negative WaitGroup counter"):
            group.done(port)

    machine.spawn(body)
