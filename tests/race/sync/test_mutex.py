"""Mutex: one holder at a time, and a try that never waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.mutex import Mutex


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


class LooksFirst(Mutex):
    """Planted: looks whether it is free, and then takes it, in two steps."""

    def trylock(self, port: Port) -> bool:
        if port.load(self.word):
            return False
        port.store(self.word, port.index + 1)
        return True


def counting(machine: SteppedMachine, mutex: Mutex) -> Check:
    """One thread waits for the mutex, two try: whoever has it adds one to a plain word."""
    count = machine.word(0, "count")
    had: list[int] = []

    def add(port: Port) -> None:
        port.words[count] += 1
        had.append(port.index)
        mutex.unlock(port)

    def waits(port: Port) -> None:
        mutex.lock(port)
        add(port)

    def tries(port: Port) -> None:
        if mutex.trylock(port):
            add(port)

    machine.spawn(waits, "waits")
    machine.spawn(tries, "tries")
    machine.spawn(tries, "tries too")

    def check() -> None:
        assert machine.peek(count) == len(had)
        assert had, "nobody had it"
        assert machine.peek(mutex.word) == 0

    return check


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize(
    "by", [pytest.param(by, marks=pytest.mark.race(strategy=by), id=by) for by in ("dpor", "stateful", "dfs")]
)
def test_one_holder(machine: SteppedMachine, by: str) -> Check:
    """Plain accesses under it do not race, and no update is lost."""
    return counting(machine, Mutex(machine))


@pytest.mark.race(fails="race")
def test_a_try_of_two_steps(machine: SteppedMachine) -> Check:
    """Two come between each other's look and take."""
    return counting(machine, LooksFirst(machine))
