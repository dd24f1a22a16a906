"""What a program keeps from one run to the next forbids a proof, however late it shows."""

# ruff: noqa: ANN401, D103  the programs' names say what they are

from __future__ import annotations

import functools
import os
import sys
import types
from contextvars import ContextVar
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from tests.collector.explore.test_verdicts import told


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Program = Callable[[SteppedMachine], Any]

LATE = 60
"""The run from which on the check fails."""
STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")


def counted(machine: SteppedMachine, run: int) -> Callable[[], None]:
    """A program of two threads that is right up to run number LATE."""
    x = machine.word(0, "x")
    machine.spawn(lambda port: port.store(x, 1))
    machine.spawn(lambda port: port.load(x))

    def check() -> None:
        assert run < LATE

    return check


RUNS = {"n": 0}
COUNT = 0


class Kept:
    runs = 0


def in_a_global_dictionary() -> Program:
    RUNS["n"] = 0

    def program(machine: SteppedMachine) -> Any:
        RUNS["n"] += 1
        return counted(machine, RUNS["n"])

    return program


def in_a_global() -> Program:
    global COUNT  # noqa: PLW0603
    COUNT = 0

    def program(machine: SteppedMachine) -> Any:
        global COUNT  # noqa: PLW0603
        COUNT += 1
        return counted(machine, COUNT)

    return program


def in_a_variable() -> Program:
    n = 0

    def program(machine: SteppedMachine) -> Any:
        nonlocal n
        n += 1
        return counted(machine, n)

    return program


def in_a_default() -> Program:
    def program(machine: SteppedMachine, runs: list[int] = [0]) -> Any:  # noqa: B006
        runs[0] += 1
        return counted(machine, runs[0])

    return program


def in_a_class() -> Program:
    Kept.runs = 0

    def program(machine: SteppedMachine) -> Any:
        Kept.runs += 1
        return counted(machine, Kept.runs)

    return program


def in_an_object() -> Program:
    class Counting:
        def __init__(self) -> None:
            self.runs = 0

        def __call__(self, machine: SteppedMachine) -> Any:
            self.runs += 1
            return counted(machine, self.runs)

    return Counting()


def in_a_list_of_a_partial() -> Program:
    def program(runs: list[int], machine: SteppedMachine) -> Any:
        runs.append(1)
        return counted(machine, len(runs))

    return functools.partial(program, [])


def in_a_check() -> Program:
    runs: list[int] = []

    def program(machine: SteppedMachine) -> Any:
        check = counted(machine, len(runs))

        def counting() -> None:
            runs.append(1)
            check()

        return counting

    return program


def in_a_setting_of_the_process() -> Program:
    os.umask(0)

    def program(machine: SteppedMachine) -> Any:
        run = os.umask(0)
        os.umask(run + 1)
        return counted(machine, run)

    return program


def in_a_module_found_by_name() -> Program:
    module: Any = types.ModuleType("hidden")
    module.n = 0
    sys.modules["hidden"] = module

    def program(machine: SteppedMachine) -> Any:
        hidden: Any = sys.modules["hidden"]
        hidden.n += 1
        return counted(machine, hidden.n)

    return program


def in_an_opaque_object() -> Program:
    queue: SimpleQueue[int] = SimpleQueue()

    def program(machine: SteppedMachine) -> Any:
        queue.put(1)
        return counted(machine, queue.qsize())

    return program


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", [in_a_setting_of_the_process, in_a_module_found_by_name, in_an_opaque_object])
def test_what_nobody_can_compare_forbids_a_proof(make: Callable[[], Program], strategy: str) -> None:
    """It is named."""
    umask = os.umask(0)
    try:
        result = explore(make(), strategy)
    finally:
        os.umask(umask)

    assert result.claim.kind == "undecided", told(result)
    assert "lasts from run to run, and cannot be looked into" in result.statement, told(result)


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


KEEPING = (
    in_a_global_dictionary, in_a_global, in_a_variable, in_a_default, in_a_class, in_an_object, in_a_list_of_a_partial,
    in_a_check,
)  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", KEEPING)
def test_what_is_kept_between_runs_forbids_a_proof(make: Callable[[], Program], strategy: str) -> None:
    """It is named, or a run differs from the first."""
    result = explore(make(), strategy)

    assert result.claim.kind in {"undecided", "refused"}, told(result)
    assert "state is kept between runs: " in result.statement or "not the same twice" in result.statement, told(result)


def test_what_is_kept_is_named() -> None:
    """And the program that keeps it."""
    result = explore(in_a_variable(), "dpor")

    assert "state is kept between runs: n at " in result.statement
    assert f"{__file__}:" in result.claim.where


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
