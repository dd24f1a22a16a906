"""Small programs that do not end in some fair schedule: none may be called proved."""

# ruff: noqa: D103  the programs' names say what they are, and they are small on purpose

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.collector.explore.endingprograms import pause
from tests.collector.explore.kinds import of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

HANGS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that do not end, in some fair schedule at the least."""


@of(HANGS)
def nobody_sets_the_flag(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pause(port)

    machine.spawn(waiter)


@of(HANGS)
def nobody_sets_the_flag_and_no_pause(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pass

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(HANGS)
def spin_in_a_function(machine: SteppedMachine) -> None:
    x = machine.word(1, "lock")

    def acquire(port: Port) -> None:
        while port.xchg(x, 1):
            pause(port)

    machine.spawn(lambda port: [acquire(port) for _ in range(2)])
    machine.spawn(acquire)


@of(HANGS)
def spin_in_a_generator(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def reads(port: Port) -> Iterator[int]:
        while True:
            yield port.load(x)
            pause(port)

    machine.spawn(lambda port: any(reads(port)))


@of(HANGS)
def wakeup_before_the_sleep_is_cleared(machine: SteppedMachine) -> None:
    note = machine.word(0, "note")

    def sleeper(port: Port) -> None:
        port.store(note, 0)  # too late: the wake-up may have been there
        port.sleep(note)

    machine.spawn(sleeper)
    machine.spawn(lambda port: port.wake(note))


@of(HANGS)
def locks_in_opposite_order(machine: SteppedMachine) -> None:
    a, b = machine.word(0, "a"), machine.word(0, "b")

    def body(port: Port, first: int, second: int) -> None:
        port.lock(first)
        port.lock(second)
        port.unlock(second)
        port.unlock(first)

    machine.spawn(lambda port: body(port, a, b))
    machine.spawn(lambda port: body(port, b, a))


@of(HANGS)
def spin_locks_in_opposite_order(machine: SteppedMachine) -> None:
    a, b = machine.word(0, "a"), machine.word(0, "b")

    def body(port: Port, first: int, second: int) -> None:
        for lock in (first, second):
            while not port.cas(lock, 0, 1):
                pause(port)
        port.store(second, 0)
        port.store(first, 0)

    machine.spawn(lambda port: body(port, a, b))
    machine.spawn(lambda port: body(port, b, a))


@of(HANGS)
def two_polite_threads(machine: SteppedMachine) -> None:
    """Each gives way as soon as it sees the other: in lock step for ever."""
    want = machine.alloc(2, "want")

    def body(port: Port, mine: int, other: int) -> None:
        while True:
            port.store(want + mine, 1)
            if not port.load(want + other):
                break
            port.store(want + mine, 0)
            pause(port)
        port.store(want + mine, 0)

    machine.spawn(lambda port: body(port, 0, 1))
    machine.spawn(lambda port: body(port, 1, 0))


@of(HANGS)
def counts_while_it_hangs(machine: SteppedMachine) -> None:
    """A statistic that grows in memory that nobody reads."""
    x, spins = machine.word(0, "x"), machine.alloc(1, "spins", statistics=True)

    def waiter(port: Port) -> None:
        while not port.load(x):
            port.xadd(spins, 1)
            pause(port)

    machine.spawn(waiter)
