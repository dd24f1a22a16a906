"""DPOR of programs whose threads wait: after a pause, for a mutex or a note, for ever, or until they are killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from tests.collector.explore.compare import compare_bounded, compare_dpor
from tests.collector.explore.traces import executions
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from tests.collector.explore.programs import Program
    from workbuf.machine import Port


def killed_twice(machine: SteppedMachine) -> None:
    """Only one of the two kills ends a thread."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: (port.load(x), port.load(x)), "a")
    machine.kill("a")
    machine.kill("a")


def killed_while_asleep(machine: SteppedMachine) -> None:
    """A note is woken by whatever step writes it."""
    note = machine.word(0, "note")
    machine.spawn(lambda port: port.sleep(note, 5), "a")
    machine.spawn(lambda port: port.cas(note, 0, 1))
    machine.kill("a")


def killed_in_a_second_pause(machine: SteppedMachine) -> None:
    """Nothing lets a thread go that has paused twice but that nobody can run; the kill can."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def pauses(port: Port) -> None:
        port.load(x)
        port.pause(Pause.OSYIELD, 1)
        port.pause(Pause.OSYIELD, 1)
        port.load(y)

    machine.spawn(pauses, "a")
    machine.spawn(lambda port: port.store(x, 2))
    machine.kill("a")


@pytest.mark.parametrize(
    ("program", "traces"), [(killed_twice, 6), (killed_while_asleep, 2), (killed_in_a_second_pause, 11)]
)
def test_what_a_killed_thread_can_still_do(program: Callable[[SteppedMachine], None], traces: int) -> None:
    """It is not asked for a step that it cannot take, which looks like a program that is not the same twice."""
    result = explore(program, "dpor")

    assert (result.schedules, result.exhausted) == (traces, True)
    assert explore(program, "dfs").exhausted


def locked_after_a_pause(machine: SteppedMachine) -> None:
    """What lets the second thread go is written in a critical section and once more after it."""
    lock, x = machine.word(0, "lock"), machine.word(0, "x")

    def writes(port: Port) -> None:
        port.lock(lock)
        port.store(x, 1)
        port.unlock(lock)
        port.store(x, 2)

    def waits(port: Port) -> None:
        if not port.load(x):
            port.pause(Pause.OSYIELD, 1)
            port.lock(lock)
            assert port.load(x) != 1
            port.unlock(lock)

    machine.spawn(writes)
    machine.spawn(waits)


@pytest.mark.parametrize("strategy", ["dpor", "stateful", "dfs"])
def test_who_locks_after_a_pause_can_come_before_a_later_write(strategy: str) -> None:
    """That write is of what it waits for in the pause, and has not taken the mutex."""
    assert explore(locked_after_a_pause, strategy).claim.kind == "failed"


def let_go_with_all(machine: SteppedMachine) -> None:
    """The third thread waits in a pause until nobody can run; the mutex is taken again after that."""
    lock, note, x = machine.word(0, "lock"), machine.word(0, "note"), machine.word(0, "x")

    def first(port: Port) -> None:
        port.lock(lock)
        port.sleep(note, 5)
        port.unlock(lock)

    def second(port: Port) -> None:
        port.lock(lock)
        port.sleep(note, 5)
        assert port.load(x) == 0
        port.unlock(lock)

    def third(port: Port) -> None:
        port.load(x)
        port.pause(Pause.OSYIELD, 1)
        port.lock(lock)
        port.xadd(x, 1)
        port.unlock(lock)

    for body in (first, second, third):
        machine.spawn(body)


@pytest.mark.parametrize("strategy", ["dpor", "stateful", "dfs"])
def test_who_was_let_go_with_all_others_can_come_before_the_mutex_is_taken(strategy: str) -> None:
    """Nothing that was changed since has let it go."""
    assert explore(let_go_with_all, strategy).claim.kind == "failed"


def waits_in_a_finally(machine: SteppedMachine) -> None:
    """The second thread sleeps for ever; while it is brought out of its body it comes to another note."""
    note, other = machine.word(0, "note"), machine.word(0, "other")

    def writes(port: Port) -> None:
        port.store(other, 1)
        port.store(other, 0)

    def sleeps(port: Port) -> None:
        try:
            port.sleep(note)
        finally:
            port.sleep(other)

    machine.spawn(writes)
    machine.spawn(sleeps)


def unlocks_in_a_finally(machine: SteppedMachine) -> None:
    """Two threads take two locks in opposite order, and free them however they end."""
    locks = machine.word(0, "a"), machine.word(0, "b")

    def takes(first: int, second: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            port.lock(first)
            try:
                port.lock(second)
                port.unlock(second)
            finally:
                port.unlock(first)

        return body

    machine.spawn(takes(*locks))
    machine.spawn(takes(*reversed(locks)))


@pytest.mark.parametrize("program", [waits_in_a_finally, unlocks_in_a_finally])
def test_what_a_thread_waits_for_is_what_it_announced_in_the_schedule(program: Program) -> None:
    """And not what it comes to when it is brought out of its body."""
    plain = list(executions(program, "dfs"))

    compare_dpor(program, plain)
    compare_bounded(program, 1000)
