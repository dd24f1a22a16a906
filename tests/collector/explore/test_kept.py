"""What a program keeps from one run to the next forbids a proof, however late it shows."""

# ruff: noqa: ANN401, D103  the programs' names say what they are

from __future__ import annotations

import functools
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.kept import same_value
from tests.collector.explore import keptprograms
from tests.collector.explore.keptprograms import HIDDEN, KEEPING, LATE, counted, in_a_class, in_a_variable
from tests.collector.explore.test_verdicts import told


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from tests.collector.explore.keptprograms import Program

STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN)
def test_what_nobody_can_compare_forbids_a_proof(make: Callable[[], Program], strategy: str) -> None:
    """It is named."""
    umask = os.umask(0)
    try:
        result = explore(make(), strategy)
    finally:
        os.umask(umask)

    assert result.claim.kind == "undecided", told(result)
    assert "lasts from run to run, and cannot be looked into" in result.statement, told(result)


def test_what_is_equal_and_not_the_same() -> None:
    """The sign of a zero tells runs apart; no number is not another one."""
    assert not same_value(0.0, -0.0)
    assert not same_value(1, 1.0)
    assert not same_value(1, y=True)
    assert same_value(float("nan"), float("nan"))
    assert same_value(float("1.5"), float("1.5"))
    assert same_value("".join("ab"), "".join("ab"))


def test_context_variables_begin_anew() -> None:
    """Each thread's, in every run."""
    setting: ContextVar[int] = ContextVar("setting", default=0)

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")

        def body(port: Any) -> None:
            assert setting.get() == 0
            setting.set(port.load(x) + 1)
            port.store(x, setting.get())

        machine.spawn(body)
        machine.spawn(body)

    result = explore(program, "dpor")

    assert result.claim.kind == "undecided", told(result)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", KEEPING.values(), ids=KEEPING)
def test_what_is_kept_between_runs_forbids_a_proof(make: Callable[[], Program], strategy: str) -> None:
    """It is named, or a run differs from the first."""
    result = explore(make(), strategy)

    assert result.claim.kind in {"undecided", "refused"}, told(result)
    assert "state is kept between runs: " in result.statement or "not the same twice" in result.statement, told(result)


def test_what_is_kept_is_named() -> None:
    """And the program that keeps it."""
    result = explore(in_a_variable(), "dpor")

    assert "state is kept between runs: n at " in result.statement
    assert f"{keptprograms.__file__}:" in result.claim.where


def test_a_bounded_claim_is_none_either() -> None:
    """For the same reason."""
    assert "kept between runs" in explore(in_a_class(), "exhaustive", preemptions=0).statement


def outcomes() -> Program:
    ends: set[int] = set()
    order: list[int] = []

    def program(machine: SteppedMachine) -> Any:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.store(x, 1))
        machine.spawn(lambda port: ends.add(port.load(x)))
        return lambda: order.append(machine.peek(x))

    return program


def runs_that_nobody_asks_for() -> Program:
    n = 0

    def program(machine: SteppedMachine) -> Any:
        nonlocal n
        n += 1
        return counted(machine, 0)

    return program


TABLE: dict[str, int] = {}


def cleared_by_the_set_up() -> Program:
    def program(machine: SteppedMachine) -> Any:
        TABLE.clear()
        x = machine.word(0, "x")

        def reads(port: Any) -> None:
            TABLE["x"] = port.load(x)

        machine.spawn(reads)
        machine.spawn(lambda port: port.store(x, 1))

        def check() -> None:
            assert TABLE["x"] in (0, 1)

        return check

    return program


@functools.lru_cache
def square(v: int) -> int:
    """Of a number."""
    return v * v


def in_a_cache() -> Program:
    square.cache_clear()

    def program(machine: SteppedMachine) -> None:
        x = machine.word(0, "x")
        machine.spawn(lambda port: port.xadd(x, 2))
        machine.spawn(lambda port: port.store(x, square(port.load(x))))

    return program


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", [outcomes, runs_that_nobody_asks_for, cleared_by_the_set_up])
def test_what_nobody_reads_costs_no_proof(make: Callable[[], Program], strategy: str) -> None:
    """Nor what every run makes anew."""
    result = explore(make(), strategy)

    assert result.claim.kind == "proved", told(result)


def test_a_cache_costs_no_proof() -> None:
    """It answers as if it were not there."""
    result = explore(in_a_cache(), "exhaustive")

    assert result.claim.kind == "proved", told(result)


def test_what_is_hung_on_the_machine_is_gone_in_the_next_run() -> None:
    """As with a port: so nothing is kept there."""

    def program(machine: Any) -> Any:
        machine.runs = getattr(machine, "runs", 0) + 1
        return counted(machine, LATE if machine.runs > 1 else 0)

    for strategy in STRATEGIES:
        assert explore(program, strategy).claim.kind == "proved"
