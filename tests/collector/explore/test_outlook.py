"""What a display is told: how many traces samplers have seen, and how much the others have left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.explore import SteppedMachine, explore
from collector.explore.program import new_machine, run_and_check, set_up
from collector.explore.strategies.base import Options, left
from collector.explore.strategies.bounded import Exhaustive
from collector.explore.strategies.coverage import Coverage
from collector.fixtures.pool import pool
from tests.collector.explore import programs
from tests.collector.explore.arbitrary import VOCABULARIES, program_of, shape
from tests.collector.explore.test_dpor import FOUND, PROGRAMS
from tests.collector.explore.traces import TooMany, executions
from workbuf.getfull import Getfull


if TYPE_CHECKING:
    from collector.explore import Result
    from collector.explore.program import Program
    from collector.explore.strategies.portfolio import Portfolio


TREIBER = programs.treiber(tagged=True)


def traces_of(program: programs.Program) -> int:
    """Traces of the program by coverage, over all its schedules."""
    coverage = Coverage()
    search = Exhaustive.unbounded(Options())
    machine = new_machine()
    try:
        while not search.done:
            check = set_up(machine, program)
            run_and_check(machine, *coverage.watching(machine, *search.begin(machine)), check)
            coverage.end()
            search.end(machine)
    finally:
        machine.close()
    return coverage.traces


@pytest.mark.parametrize("name", [name for name in (*PROGRAMS, *FOUND) if name not in {"ABA", "tagged stack"}])
def test_traces_are_told_apart(name: str) -> None:
    """As many as there are."""
    program = PROGRAMS.get(name) or program_of(FOUND[name])

    assert traces_of(program) == len({run.trace for run in executions(program, "dfs")})


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_traces_of_arbitrary_programs(vocabulary: str, seed: int) -> None:
    """Whatever their steps are."""
    compared = 0
    while compared < 3:
        seed += 1
        form = shape(seed, VOCABULARIES[vocabulary].split())
        program = program_of(form)
        try:
            traces = {run.trace for run in executions(program, "dfs", limit=2000)}
        except TooMany:
            continue
        assert traces_of(program) == len(traces), f"seed {seed}: {form}"
        compared += 1


def test_the_chance_of_a_new_trace() -> None:
    """The share of schedules whose trace was drawn once."""
    coverage = Coverage()
    for past in (1, 1, 2, 3):
        coverage.pasts = [past]
        coverage.end()

    assert str(coverage) == "3 traces, the next one new with a chance of 50.0%"


def test_what_is_left_of_a_tree() -> None:
    """One of four done, and half of the second."""
    assert left(30, [(1, 4), (1, 2)]) == "37.50% done, about 50 left"
    assert left(1, [(0, 4)]) == "just begun"


def outlooks(strategy: str, monkeypatch: pytest.MonkeyPatch, program: Program = TREIBER) -> list[str]:
    """What is told after each schedule."""
    monkeypatch.setattr("collector.explore.search.SHOW_S", 0.0)
    told: list[str] = []

    def progress(result: Result, _portfolio: Portfolio) -> None:
        told.append(result.outlook)

    explore(program, strategy, schedules=400, progress=progress)
    return told


@pytest.mark.parametrize("strategy", ["random", "urw", "pct", "pos", "surw"])
def test_samplers_tell_of_new_traces(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many there are, and how likely another one is."""
    told = outlooks(strategy, monkeypatch)

    assert told[0] == "1 traces, the next one new with a chance of 100.0%"
    assert "traces, the next one new" in told[-1]


@pytest.mark.parametrize("strategy", ["dfs", "dpor", "stateful", "exhaustive"])
def test_the_others_tell_what_is_left(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as something is done."""
    told = outlooks(strategy, monkeypatch)

    kinds = "done, about", "just begun", "still to go on from"  # the last as long as states might be computed
    assert all(any(kind in outlook for kind in kinds) for outlook in told)
    assert any("done, about" in outlook for outlook in told)


def test_computed_states_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no tree but a queue, which is empty in the end."""
    told = outlooks("stateful", monkeypatch, pool(Getfull, 2, 1))

    queues = [outlook.removesuffix(" still to go on from").split(" states, ") for outlook in told]
    assert all(int(left.replace(",", "")) <= int(states.replace(",", "")) for states, left in queues)
    assert any(left != "0" for _, left in queues)


def test_the_portfolio_tells_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its samplers have seen, and what its exhaustive search has left."""
    told = outlooks("portfolio", monkeypatch)

    assert "traces, the next one new" in told[-1]
    assert re.search(r"\d preemptions?: ", told[-1])


def test_estimates_of_depth_first_search() -> None:
    """Exact where the tree is even: 24 schedules."""
    search = Exhaustive.unbounded(Options())
    machine = SteppedMachine()
    try:
        estimates = []
        while not search.done:
            check = set_up(machine, programs.counter(4))
            run_and_check(machine, *search.begin(machine), check)
            search.end(machine)
            if not search.done:
                estimates.append(search.outlook(0))
    finally:
        machine.close()

    assert estimates[0] == "4.17% done, about 23 left"
    assert estimates[-1] == "95.83% done, about 1 left"
