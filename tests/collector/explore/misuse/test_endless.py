"""Loops and recursion without end are refused, or are the explorer's own fault; what is only long is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import SteppedMachine, explore, replay, watchdog
from collector.explore.claim import Kind
from collector.explore.machine.fault import Refused
from collector.explore.machine.misuse import Hung
from collector.explore.replay import Replay
from collector.explore.simulation import Simulation
from collector.explore.strategies import NAMED
from collector.explore.token import Token
from tests.collector.explore.misuse.refusals import STRATEGIES, refused


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Port


def endless(machine: SteppedMachine, how: str) -> Callable[[Port], object]:
    """A body that goes on for ever without a loop."""
    x = machine.word(0, "x")

    def recursing(port: Port) -> None:
        port.load(x)
        recursing(port)

    def spawning(port: Port) -> None:
        port.spawn(spawning)

    return recursing if how == "recursion" else spawning


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("how", ["recursion", "spawning"])
def test_a_body_without_end(how: str, strategy: str, vehicle: str) -> None:
    """It is refused before Python's stack is full."""
    before = sys.getrecursionlimit()
    # A state that is captured has all frames in it, at every step.
    sys.setrecursionlimit(before // 2 if how == "recursion" else before)
    try:
        assert how in refused(lambda machine: machine.spawn(endless(machine, how)), strategy, vehicle=vehicle)
    finally:
        sys.setrecursionlimit(before)


def test_a_long_chain_of_threads() -> None:
    """Each is spawned by the one before, and that ends."""

    def program(machine: SteppedMachine) -> None:
        def body(port: Port) -> None:
            if port.index < 99:
                port.spawn(body)

        machine.spawn(body)

    assert explore(program).claim.kind is Kind.PROVED


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
@pytest.mark.parametrize("how", ["pure", "plain"])
def test_a_body_that_comes_to_no_step(how: str, vehicle: str) -> None:
    """The watchdog ends it, and says where it was."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.load(x)
            turns = 0
            while port.words[x] == 0 if how == "plain" else turns >= 0:
                turns += 1

        machine.spawn(body)

    assert "no step" in refused(program, seconds=0.5, vehicle=vehicle, races=False)


@pytest.mark.parametrize("where", ["set-up", "check", "invariant"])
def test_a_loop_outside_of_the_threads(where: str) -> None:
    """That is the program's, too."""

    def loop(_machine: object = None) -> None:
        while True:
            pass

    def program(machine: SteppedMachine) -> Callable[[], object] | None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.load(x))
        if where == "set-up":
            loop()
        return loop if where == "check" else None

    invariants = [loop] if where == "invariant" else []

    assert "no step" in refused(program, seconds=0.5, races=False, invariants=invariants)


HANGING = """
from collector.explore.strategies.walk import RandomWalk

class Hanging(RandomWalk):
    def begin(self, machine):
        pick, draw = super().begin(machine)

        def hanging(i):
            while len(machine.trail) == 2:
                pass
            return pick(i)

        return hanging, draw
"""
"""A strategy that never picks a third step."""


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_a_hang_of_the_explorer_is_not_the_programs(vehicle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an internal error, and says where."""
    space: dict[str, Any] = {"__name__": "hanging", "__package__": "collector.explore.strategies"}
    exec(compile(HANGING, "hanging.py", "exec"), space)  # noqa: S102  as a module of the explorer's
    monkeypatch.setitem(NAMED, "hanging", space["Hanging"])

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        for _ in range(2):
            machine.spawn(lambda port: (port.xadd(x, 1), port.xadd(x, 1)))

    with pytest.raises(Hung, match=r"no step for seconds, at hanging\.py:\d+: the explorer is at fault"):
        explore(program, "hanging", seconds=0.5, vehicle=vehicle)


@pytest.mark.parametrize("vehicle", ["greenlets", "threads"])
def test_a_view_without_end_hides_no_failure(vehicle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked again, and the replay says so in its place."""
    monkeypatch.setattr(watchdog, "PATIENCE", 0.3)
    asked: list[int] = []

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.store(x, 1)
            raise AssertionError

        def endless() -> str:
            asked.append(1)
            while len(asked) > 1:
                pass
            return "empty"

        machine.spawn(body)
        machine.view("the list", endless)

    failure = explore(program, vehicle=vehicle).failure
    assert failure is not None
    asked.clear()

    again = Replay(Token.decode(failure.schedule), program, vehicle=vehicle)

    assert again.fault is not None
    assert "the list: (does not come to an end)" in again.trace
    assert asked == [1, 1]


def test_a_program_that_has_become_endless_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay refuses it, as a search does; and so does who goes through it by hand."""
    monkeypatch.setattr(watchdog, "PATIENCE", 0.3)
    ends = [True]

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.store(x, 1)
            while not ends[0]:
                pass
            raise AssertionError

        machine.spawn(body)

    failure = explore(program, shrink=False).failure
    assert failure is not None
    ends[0] = False

    assert "no step for seconds" in str(replay(failure.schedule, program).claim.reason)
    with pytest.raises(Refused, match="no step for seconds"):
        Simulation(Token(), program).at([0])


@pytest.mark.parametrize("strategy", sorted(NAMED))
def test_any_number_of_threads(strategy: str) -> None:
    """A hundred, some of them spawned by others."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        x = machine.word(0, "x")

        def parent(port: Port) -> None:
            for _ in range(30):
                port.spawn(lambda child: child.xadd(x, 1))

        machine.spawn(parent)
        for _ in range(80):
            machine.spawn(lambda port: port.xadd(x, 1))

        def check() -> None:
            assert machine.peek(x) == 110

        return check

    assert explore(program, strategy, schedules=3, seconds=100).claim.passed
