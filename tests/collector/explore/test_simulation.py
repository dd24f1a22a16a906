"""Interactive simulation: what is chosen is done, and nothing else; and it stops in front of the next choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore, replay
from collector.explore.simulation import ENDED, PAUSES, Simulation
from collector.explore.strategies.base import Options
from collector.explore.strategies.walk import RandomWalk
from collector.explore.token import Token
from collector.explore.trace.trace import text
from collector.scenarios.registry import SCENARIOS
from workbuf.machine import Pause, Port


if TYPE_CHECKING:
    from collector.explore.program import Check


ABA = SCENARIOS["aba"].variants["failing"].program
RULES = Token(races=True)


def lost(machine: SteppedMachine) -> Check:
    """Two unguarded increments."""
    x = machine.word(0, "x")

    def body(port: Port) -> None:
        port.store(x, port.load(x) + 1)

    machine.spawn(body, "a")
    machine.spawn(body, "b")

    def check() -> None:
        assert machine.peek(x) == 2, "an increment is lost"

    return check


def test_it_stops_in_front_of_each_choice() -> None:
    """Who can go, what they will do and what is in memory is what it is behind these steps."""
    simulation = Simulation(RULES, lost)

    begun = simulation.at(())
    assert [text(one.act, ("a", "b")) for one in begun.ahead if one.act] == ["load x", "load x"]
    assert (begun.able, begun.usual, begun.over) == ((0, 1), 0, False)

    there = simulation.at((0, 1, 1))
    assert [(one.name, one.waits) for one in there.ahead] == [("a", ""), ("b", ENDED)]
    assert there.ahead[0].act
    assert text(there.ahead[0].act, ("a", "b")) == "store x := 1"
    assert [(name, str(value)) for name, value in there.cells("x")] == [("x", "1")]
    assert [step.thread for step in there.schedule.steps[1:]] == [0, 1, 1]

    ended = simulation.at((0, 1, 1, 0))
    assert ended.over
    assert ended.schedule.fault
    assert ended.schedule.fault.message == "an increment is lost"


def test_where_a_choice_cannot_be_made_the_default_goes() -> None:
    """The schedule is what was done, not what was asked for."""
    assert Simulation(RULES, lost).at((0, 0, 0)).choices == (0, 0, 1)


def test_a_token_is_followed_step_by_step() -> None:
    """Every prefix of a failing schedule stands where the schedule stood; the whole fails as it does."""
    failure = explore(ABA, seed=1).failure
    assert failure
    token = Token.decode(failure.schedule)
    simulation = Simulation(token, ABA)
    choices = simulation.choices(token)

    for n in range(len(choices)):
        there = simulation.at(choices[:n])
        assert there.choices == choices[:n]
        assert choices[n] in there.able
        assert [step.thread for step in there.schedule.steps[1:]] == [
            step.thread for step in failure.record.steps[1 : n + 1]
        ]
        ahead = there.ahead[choices[n]].act
        assert ahead
        assert ahead.op == failure.record.steps[n + 1].op

    assert str(simulation.at(choices).schedule.fault) == str(failure.record.fault)
    assert replay(simulation.token(choices).encode(), ABA).failure


def test_the_token_of_a_beginning_goes_on_by_default() -> None:
    """It replays to the same schedule as the default behind the choices."""
    simulation = Simulation(RULES, lost)
    trail, fault, runs = simulation.complete((0, 1))
    token = simulation.token((0, 1))

    assert (fault and fault.message, runs) == ("an increment is lost", 1)
    assert simulation.choices(token) == tuple(trail)


def test_a_strategy_goes_on_from_here() -> None:
    """All its schedules begin with the choices; from where nothing can go wrong any more nothing does."""
    simulation = Simulation(RULES, lost)

    trail, fault, runs = simulation.complete((0,), RandomWalk(Options(seed=1)), 100)
    assert fault
    assert trail[0] == 0
    assert runs < 100
    assert simulation.complete((0, 0), RandomWalk(Options(seed=1)), 20)[1:] == (None, 20)


def test_a_value_is_chosen() -> None:
    """As a thread is; the value is part of the trail."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, port.choose(3)), "a")

    simulation = Simulation(RULES, program)
    there = simulation.at((0,))
    assert (there.values, there.able, there.usual) == (3, (-2, -3, -4), -2)

    chosen = simulation.at((0, ~1 - 2))
    assert chosen.values == 0
    assert [(name, str(value)) for name, value in simulation.at((0, ~1 - 2, 0)).cells("x")] == [("x", "2")]


def test_who_waits_is_said() -> None:
    """For a lock, and in a pause."""

    def program(machine: SteppedMachine) -> None:
        lock, x = machine.word(0, "mutex"), machine.word(0, "x")

        def holder(port: Port) -> None:
            port.lock(lock)
            port.store(x, 1)
            port.unlock(lock)

        def spinner(port: Port) -> None:
            while not port.load(x):
                port.pause(Pause.PROCYIELD, 1)

        machine.spawn(holder, "holder")
        machine.spawn(lambda port: port.lock(lock), "other")
        machine.spawn(spinner, "spinner")

    there = Simulation(RULES, program).at((0, 2))
    assert [one.waits for one in there.ahead] == ["", "waits for mutex, held by holder", PAUSES]
    assert there.able == (0,)


def test_a_race_ends_it() -> None:
    """Under the rules that the scenario has."""

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Port) -> None:
            port.words[x] = 1
            port.load(x)

        machine.spawn(body)
        machine.spawn(body)

    for races in (True, False):
        ended = Simulation(Token(races=races), program).at((0, 1))
        fault = ended.schedule.fault
        assert (fault.kind if fault else "") == ("race" if races else "")


def test_a_token_of_another_program_is_refused() -> None:
    """One line."""
    failure = explore(ABA, seed=1).failure
    assert failure
    with pytest.raises(ValueError, match="schedule"):
        Simulation(RULES, lost).choices(Token.decode(failure.schedule))
