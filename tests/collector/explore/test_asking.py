"""What threads ask the machine itself for, and what they hang on it and on their ports."""

from __future__ import annotations

import pytest

from collector.explore import explore
from collector.explore.strategies.base import Options
from collector.explore.strategies.dpor.search import DPOR
from tests.collector.explore.askingprograms import (
    ASKING,
    COUNTING,
    HUNG,
    LEFT,
    kept_in_a_list_on_the_machine,
    names_of_its_own,
)
from tests.collector.explore.cellprograms import (
    CELLS,
    GUESSED,
    a_cell_that_another_has_told_of,
    a_look_at_all_cells_while_others_spawn,
    a_look_that_steps_order,
)
from tests.collector.explore.test_verdicts import told


STRATEGIES = ("dpor", "portfolio", "stateful", "exhaustive", "dfs", "random")


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("preemptions", [None, 9])
def test_dpor_proves_nothing_of_a_thread_that_asks_the_machine_who_has_gone(name: str, preemptions: int | None) -> None:
    """And says for what, and where; those strategies that leave no interleaving out find the fault."""
    result = explore(ASKING[name], "dpor", preemptions=preemptions, shrink=False)

    assert result.claim.kind == "undecided", told(result)
    assert "a thread asks for machine." in result.statement, told(result)
    assert "askingprograms.py:" in result.statement, told(result)


@pytest.mark.parametrize("name", HUNG)
@pytest.mark.parametrize("preemptions", [None, 9])
def test_dpor_sees_what_is_hung_on_a_port(name: str, preemptions: int | None) -> None:
    """As on any object."""
    result = explore(HUNG[name], "dpor", preemptions=preemptions, shrink=False)

    assert result.claim.kind == "undecided", told(result)
    assert " share " in result.statement, told(result)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("preemptions", [None, 9])
def test_dpor_proves_nothing_of_a_thread_that_looks_without_a_step_at_what_no_step_orders(
    name: str, preemptions: int | None
) -> None:
    """And says at which cell, or finds the fault."""
    result = explore(CELLS[name], "dpor", preemptions=preemptions, shrink=False, races=False)

    assert result.claim.kind in {"undecided", "failed"}, told(result)
    assert result.failure or "without a step" in result.statement, told(result)


@pytest.mark.parametrize("name", GUESSED)
@pytest.mark.parametrize("preemptions", [None, 9])
def test_dpor_proves_nothing_of_a_thread_that_uses_memory_nobody_has_told_it_of(
    name: str, preemptions: int | None
) -> None:
    """Where it is there by default: it may come to be there later."""
    result = explore(GUESSED[name], "dpor", preemptions=preemptions, shrink=False)

    assert result.claim.kind in {"undecided", "failed"}, told(result)
    assert result.failure or "no step orders" in result.statement, told(result)
    for strategy in ("portfolio", "stateful", "exhaustive", "dfs"):
        assert explore(GUESSED[name], strategy, shrink=False).failure, strategy


@pytest.mark.parametrize("preemptions", [None, 9])
def test_memory_that_a_thread_was_told_of_costs_no_proof(preemptions: int | None) -> None:
    """However it was told."""
    result = explore(a_cell_that_another_has_told_of, "dpor", preemptions=preemptions)

    assert result.claim.kind == "proved", told(result)


@pytest.mark.parametrize("preemptions", [None, 9])
def test_a_look_at_what_steps_order_costs_no_proof(preemptions: int | None) -> None:
    """As of any object."""
    for program in (a_look_that_steps_order, a_look_at_all_cells_while_others_spawn):
        result = explore(program, "dpor", preemptions=preemptions)

        assert result.claim.kind == "proved", told(result)


def test_turns_of_threads_that_look_are_known_when_they_come_again() -> None:
    """To watch one costs much."""
    search = DPOR(Options())
    explore(a_look_that_steps_order, search)

    assert search.objects is not None
    assert search.objects.known


@pytest.mark.parametrize("name", ASKING | HUNG | CELLS)
@pytest.mark.parametrize("strategy", STRATEGIES[1:])
def test_the_fault_is_found(name: str, strategy: str) -> None:
    """In the same way on every run: no schedule finds what the one before has left."""
    result = explore((ASKING | HUNG | CELLS)[name], strategy, schedules=200, shrink=False)

    assert result.claim.kind == "failed", told(result)


@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_counts_there_is_not_accused(name: str, strategy: str) -> None:
    """A proof, where one is claimed at all."""
    result = explore(COUNTING[name], strategy, schedules=200)

    assert result.claim.kind == ("sampled" if strategy == "random" else "proved"), told(result)


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("strategy", STRATEGIES[:-1])
def test_what_is_left_on_a_port_for_the_next_run_forbids_a_proof(name: str, strategy: str) -> None:
    """As a variable of the program does."""
    result = explore(LEFT[name], strategy, shrink=False)

    assert result.claim.kind == "undecided", told(result)
    assert "state is kept between runs: port." in result.statement, told(result)


@pytest.mark.parametrize("strategy", STRATEGIES[:-1])
def test_a_list_on_the_machine_is_a_part_of_the_state(strategy: str) -> None:
    """Whenever it was hung there."""
    assert explore(kept_in_a_list_on_the_machine, strategy, shrink=False).claim.kind == "failed"


@pytest.mark.parametrize("preemptions", [None, 9])
def test_a_program_with_such_names_is_proved(preemptions: int | None) -> None:
    """What the machine is not asked for does not matter, and a check may ask it."""
    result = explore(names_of_its_own, "dpor", preemptions=preemptions)

    assert result.claim.kind == "proved", told(result)
