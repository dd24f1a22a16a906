"""Small programs that end in every schedule, some of them late: none may be accused."""

# ruff: noqa: D103  the programs' names say what they are, and they are small on purpose

from __future__ import annotations

import array
import itertools
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.collector.explore.kinds import of
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

ENDS: dict[str, Callable[[SteppedMachine], Any]] = {}
"""Programs that end in every schedule and whose checks hold."""


def pause(port: Port) -> None:
    """One turn of a loop that waits."""
    port.pause(Pause.PROCYIELD, 1)


class Slotted:
    """A counter in a slot."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0


@dataclass
class Backoff:
    """A counter in a dataclass, with a list beside it."""

    n: int = 0
    tried: list[int] = field(default_factory=list)


def gives_up(turn: Callable[[], bool]) -> Callable[[SteppedMachine], None]:
    """A thread that waits for what nobody does, for as long as `turn()` lets it."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def waiter(port: Port) -> None:
            while not port.load(x) and turn():
                pause(port)

        machine.spawn(waiter)

    return program


@of(ENDS)
def counter_in_a_slot(machine: SteppedMachine) -> None:
    slotted = Slotted()

    def turn() -> bool:
        slotted.n += 1
        return slotted.n < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_nested_dict(machine: SteppedMachine) -> None:
    kept: dict[str, dict[str, list[int]]] = {"a": {"b": [0]}}

    def turn() -> bool:
        kept["a"]["b"][0] += 1
        return kept["a"]["b"][0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_closure(machine: SteppedMachine) -> None:
    n = 0

    def turn() -> bool:
        nonlocal n
        n += 1
        return n < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_bytearray(machine: SteppedMachine) -> None:
    kept = bytearray(1)

    def turn() -> bool:
        kept[0] += 1
        return kept[0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_an_array(machine: SteppedMachine) -> None:
    kept = array.array("q", [0])

    def turn() -> bool:
        kept[0] += 1
        return kept[0] < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_generator(machine: SteppedMachine) -> None:
    def seven() -> Iterator[bool]:
        yield from [True] * 7

    left = seven()
    gives_up(lambda: next(left, False))(machine)


@of(ENDS)
def counter_in_an_iterator(machine: SteppedMachine) -> None:
    left = iter(range(7))
    gives_up(lambda: next(left, None) is not None)(machine)


@of(ENDS)
def counter_in_itertools_count(machine: SteppedMachine) -> None:
    numbers = itertools.count()
    gives_up(lambda: next(numbers) < 7)(machine)


@of(ENDS)
def counter_in_a_string(machine: SteppedMachine) -> None:
    kept = types.SimpleNamespace(text="")

    def turn() -> bool:
        kept.text += "."
        return len(kept.text) < 7

    gives_up(turn)(machine)


@of(ENDS)
def counter_in_a_set(machine: SteppedMachine) -> None:
    kept: set[int] = set()

    def turn() -> bool:
        kept.add(len(kept))
        return len(kept) < 7

    gives_up(turn)(machine)


@of(ENDS)
def backoff_that_doubles(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        wait = 1
        while not port.load(x) and wait < 200:
            port.pause(Pause.PROCYIELD, wait)
            wait *= 2

    machine.spawn(waiter)
    machine.spawn(lambda port: port.load(x))


@of(ENDS)
def backoff_object_that_is_shared(machine: SteppedMachine) -> None:
    x, backoff = machine.word(0, "x"), Backoff()

    def waiter(port: Port) -> None:
        while not port.load(x) and len(backoff.tried) < 6:
            backoff.tried.append(port.index)
            pause(port)

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(ENDS)
def deadline_by_now(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        deadline = port.now() + 12
        while not port.load(x) and port.now() < deadline:
            pause(port)

    machine.spawn(waiter)
    machine.spawn(lambda port: port.load(x))


@of(ENDS)
def retries_in_a_cell(machine: SteppedMachine) -> None:
    x, tries = machine.word(0, "x"), machine.word(0, "tries")

    def waiter(port: Port) -> None:
        while not port.load(x) and port.xadd(tries, 1) < 6:
            pause(port)

    machine.spawn(waiter)
    machine.spawn(waiter)


@of(ENDS)
def retries_by_exception(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    class Again(Exception):
        pass

    def attempt(port: Port, n: int) -> None:
        if not port.load(x) and n < 5:
            raise Again(n)

    def waiter(port: Port) -> None:
        n = 0
        while True:
            try:
                attempt(port, n)
            except Again as again:
                n = again.args[0] + 1
                pause(port)
            else:
                return

    machine.spawn(waiter)


@of(ENDS)
def waits_until_another_has_written(machine: SteppedMachine) -> Callable[[], None]:
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pause(port)
        port.store(y, 1)

    machine.spawn(waiter)
    machine.spawn(lambda port: port.store(x, 1))

    def check() -> None:
        assert machine.peek(y) == 1

    return check


@of(ENDS)
def waits_without_a_pause(machine: SteppedMachine) -> None:
    x = machine.word(0, "x")

    def waiter(port: Port) -> None:
        while not port.load(x):
            pass

    machine.spawn(waiter)
    machine.spawn(lambda port: port.store(x, 1))


@of(ENDS)
def spin_lock_in_a_for(machine: SteppedMachine) -> Callable[[], None]:
    lock, x = machine.word(0, "lock"), machine.word(0, "x")

    def body(port: Port) -> None:
        for _ in range(2):
            while not port.cas(lock, 0, 1):
                pause(port)
            port.words[x] += 1
            port.store(lock, 0)

    machine.spawn(body)
    machine.spawn(body)

    def check() -> None:
        assert machine.peek(x) == 4

    return check


@of(ENDS)
def turn_taking(machine: SteppedMachine) -> None:
    turn = machine.word(0, "turn")

    def body(port: Port, mine: int) -> None:
        for _ in range(2):
            while port.load(turn) != mine:
                pause(port)
            port.store(turn, 1 - mine)

    machine.spawn(lambda port: body(port, 0))
    machine.spawn(lambda port: body(port, 1))


@of(ENDS)
def timed_sleep(machine: SteppedMachine) -> None:
    note = machine.word(0, "note")
    machine.spawn(lambda port: port.sleep(note, 100))
