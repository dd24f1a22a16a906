"""DPOR where threads choose: each value is a step of its own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from collector.explore import explore
from tests.collector.explore import sleepsets
from tests.collector.explore.compare import compare_dpor
from tests.collector.explore.traces import executions


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port


def chosen(machine: SteppedMachine) -> None:
    """What is chosen between reads is written to the words that are read."""
    x = machine.alloc(2, "x")

    def reading(port: Port) -> None:
        port.load(x + 1)
        port.load(x)

    def choosing(port: Port) -> None:
        value = port.choose(2)
        port.xadd(x, 1 + value)
        port.store(x + 1, 1 + value)

    machine.spawn(reading)
    machine.spawn(lambda port: port.xadd(x, 1))
    machine.spawn(choosing)


def chosen_later(machine: SteppedMachine) -> Callable[[], None]:
    """Of two values one is explored from the first state, the other one from others, too."""
    x, y = machine.word(0, "x"), machine.word(0, "y")
    seen = machine.alloc(4, "seen")
    plain = machine.memory.plain

    def reading(i: int, word: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            plain[seen + i] = port.load(word)

        return body

    def choosing(port: Port) -> None:
        if port.choose(2):
            plain[seen + 2] = port.load(x)
        port.store(x, 3)

    def adding(port: Port) -> None:
        plain[seen + 3] = port.xadd(x, 1)
        port.store(y, 1)

    for body in (lambda port: port.store(x, 2), reading(0, y), reading(1, x), choosing, adding):
        machine.spawn(body)

    def check() -> None:
        assert [machine.peek(seen + i) for i in range(4)] != [1, 1, 2, 1]

    return check


def test_what_was_explored_with_one_value_was_not_with_another() -> None:
    """The other value does not sleep."""
    assert explore(chosen_later, "dpor", schedules=1 << 30).failure


def test_as_many_as_by_sleep_sets_alone(seed: int) -> None:
    """Of programs with more threads than plain search can be asked about."""
    for threads, count in sleepsets.some(Random(seed), 8):
        result = explore(sleepsets.program_of(threads), "dpor", schedules=1 << 30)
        assert (result.schedules, result.pruned, result.exhausted) == (count, 0, True), threads


def test_each_value_comes_in_every_order() -> None:
    """A branch that prescribes a value does not stand for the other one."""
    assert len(compare_dpor(chosen, list(executions(chosen, "dfs")))) == 18
