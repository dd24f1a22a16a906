"""Schedules that tests show: the scenarios' shrunk failures, and steps made by hand."""

from __future__ import annotations

from functools import cache
from typing import Any

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.explore.trace.step import Step
from collector.report.schedule.steps import steps
from collector.scenarios.registry import SCENARIOS
from workbuf.names import Name


@cache
def replayed(name: str, variant: str = "failing") -> Replay:
    """A scenario's shrunk failure."""
    chosen = SCENARIOS[name].variants[variant]
    failure = explore(chosen.program, seed=1, races=chosen.races).failure
    assert failure is not None
    return Replay(Token.decode(failure.schedule), chosen.program, sources=True)


@cache
def told(name: str, variant: str = "failing") -> dict[str, Any]:
    """The records of a scenario's shrunk failure."""
    return steps(replayed(name, variant).schedule, name)


def step(number: int, thread: int = 0, op: str = "load", **more: Any) -> Step:  # noqa: ANN401  a step's fields
    """A step on x."""
    return Step(number=number, place=number, thread=thread, op=op, cell=Name("x"), **more)
