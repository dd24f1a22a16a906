"""Condition variables: a buffer of one slot between a producer and a consumer, and waiters who are all told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.cond import Cond
from collector.sync.mutex import Mutex


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


class UnlocksFirst(Cond):
    """Planted: gives the mutex back before it is in the queue."""

    def wait(self, port: Port) -> None:
        self.mutex.unlock(port)
        with self.mutex.held(port):
            note = self.queue.enter(port)
        port.sleep(note)
        self.mutex.lock(port)


def slot(machine: SteppedMachine, cond: type[Cond], *, again: bool = True, takers: int = 1) -> Check:
    """A producer puts as many values into a slot as there are takers, each of whom takes one."""
    mutex = Mutex(machine)
    full, empty = cond(machine, mutex, "full"), cond(machine, mutex, "empty")
    value = machine.word(0, "value")
    taken: list[int] = []

    def put(port: Port) -> None:
        for n in range(takers):
            with mutex.held(port):
                while port.words[value]:
                    empty.wait(port)
                port.words[value] = n + 1
                full.signal(port)

    def take(port: Port) -> None:
        with mutex.held(port):
            if not port.words[value]:
                full.wait(port)
            while again and not port.words[value]:
                full.wait(port)
            taken.append(port.words[value])
            port.words[value] = 0
            empty.signal(port)

    machine.spawn(put, "producer")
    for k in range(takers):
        machine.spawn(take, f"consumer {k}")

    def check() -> None:
        assert sorted(taken) == [*range(1, takers + 1)], f"taken: {taken}"

    return check


@pytest.mark.race(exhaust=True)
def test_every_value_is_taken_once(machine: SteppedMachine) -> Check:
    """By whoever is woken, or comes first."""
    return slot(machine, Cond, takers=2)


@pytest.mark.race(fails="sleeps on full")
def test_a_lost_signal(machine: SteppedMachine) -> Check:
    """The signal comes between the unlock and the queue, so nobody is there to be woken."""
    return slot(machine, UnlocksFirst)


@pytest.mark.race(fails="taken")
def test_a_consumer_that_does_not_ask_again(machine: SteppedMachine) -> Check:
    """Woken is not running: the other consumer has taken the value meanwhile."""
    return slot(machine, Cond, again=False, takers=2)


@pytest.mark.race(exhaust=True)
def test_all_are_told(machine: SteppedMachine) -> None:
    """Two wait for a word to be set, or find it set."""
    mutex = Mutex(machine)
    cond, go = Cond(machine, mutex), machine.word(0, "go")

    def waits(port: Port) -> None:
        with mutex.held(port):
            while not port.words[go]:
                cond.wait(port)

    def tells(port: Port) -> None:
        with mutex.held(port):
            port.words[go] = 1
            cond.broadcast(port)

    machine.spawn(waits, "waits")
    machine.spawn(waits, "waits too")
    machine.spawn(tells, "tells")
