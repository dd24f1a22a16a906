"""Where it leads that another thread goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.explore.replay import Replay
from collector.explore.simulation import Simulation
from collector.explore.token import Token
from collector.report.schedule import alternatives
from collector.report.schedule.alternatives import leads
from collector.report.schedule.steps import steps
from collector.scenarios.registry import SCENARIOS
from tests.collector.report.schedules import replayed


if TYPE_CHECKING:
    import pytest

    from collector.explore import SteppedMachine
    from collector.explore.program import Check


ABA = SCENARIOS["aba"].variants["failing"].program


def test_those_that_could_go_are_those_that_the_simulation_offers() -> None:
    """At every step, the same threads about to do the same."""
    again = replayed("latedecrement")
    program = SCENARIOS["latedecrement"].variants["failing"].program
    simulation = Simulation(again.token, program)

    for step in again.schedule.steps[1:]:
        there = simulation.at(again.machine.trail[: step.place])
        able = [
            replace(one.act, sites=()) for one in there.ahead if one.act and not one.waits and one.thread != step.thread
        ]
        assert list(step.others) == able


def order(machine: SteppedMachine) -> Check:
    """It fails if b stores last, so by default and if c goes first; and not if b goes first."""
    x, y = machine.word(0, "x"), machine.word(0, "y")
    machine.spawn(lambda port: port.store(x, 1), "a")
    machine.spawn(lambda port: port.store(x, 2), "b")
    machine.spawn(lambda port: port.store(y, 3), "c")

    def check() -> None:
        assert machine.peek(x) == 1, "b was last"

    return check


def test_each_leads_where_it_leads() -> None:
    """To a failure or not; and what is done on the way."""
    found = leads(Replay(Token(), order, sources=True), order)

    assert {key: (lead.steps, lead.failure) for key, lead in found.items()} == {
        (0, 1): (((1, "store x := 2"), (2, "store y := 3"), (0, "store x := 1")), ""),
        (0, 2): (((2, "store y := 3"), (0, "store x := 1"), (1, "store x := 2")), "check: b was last"),
        (1, 2): (((2, "store y := 3"), (1, "store x := 2")), "check: b was last"),
    }


def test_each_leads_where_its_token_leads() -> None:
    """The steps before are the same, the other thread goes, and the failure is the one that the replay of its token has."""
    again = replayed("aba")
    found = leads(again, ABA)

    assert len(found) == sum(len(step.others) for step in again.schedule.steps) > 5
    for (place, thread), lead in found.items():
        other = Replay(Token.decode(lead.token), ABA)
        steps_ = other.schedule.steps
        assert not other.diverged
        assert steps_[1 : place + 1] == again.schedule.steps[1 : place + 1]
        assert lead.steps[0][0] == steps_[place + 1].thread == thread
        assert len(lead.steps) + lead.more == len(steps_) - 1 - place
        assert bool(lead.failure) == bool(other.fault)


def test_only_so_many_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first; the others are told, without where they lead."""
    monkeypatch.setattr(alternatives, "MOST_STEPS", 1)
    again = replayed("aba")
    found = leads(again, ABA)
    others = [other for step in steps(again.schedule, "aba", leads=found)["steps"] for other in step["others"]]

    assert len(found) == 1
    assert [bool(other["lead"]) for other in others] == [True, *[False] * (len(others) - 1)]
