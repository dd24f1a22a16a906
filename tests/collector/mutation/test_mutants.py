"""Mutants of the protocol: every one can be planted, and planting one changes what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.mutation.judgement import aside, equivalent, judged
from collector.mutation.mutants import FILES, ROOT, Mutant, every, found
from collector.mutation.operators import KINDS


if TYPE_CHECKING:
    from collections.abc import Iterator

MUTANTS = every()


@pytest.fixture(name="kept")
def _kept() -> Iterator[None]:
    """The protocol as it was, afterwards."""
    live = {found(mutant.file, mutant.function) for mutant in MUTANTS.values()}
    codes = {function: function.__code__ for function in live}
    yield
    for function, code in codes.items():
        function.__code__ = code


def test_there_are_some_of_every_kind_in_every_file() -> None:
    """And each file is there, and answers to Go's code."""
    assert {mutant.file for mutant in MUTANTS.values()} == {*FILES}
    assert {mutant.kind for mutant in MUTANTS.values()} == {*KINDS}
    assert all((ROOT / file).exists() for file in FILES)
    assert len(MUTANTS) == sum(len(every([file])) for file in FILES)


def test_mutants_can_be_planted(kept: None) -> None:
    """One of every kind in every file; the closures of a function fit its cells, whatever was dropped."""
    for mutant in {(mutant.file, mutant.kind): mutant for mutant in MUTANTS.values()}.values():
        live = found(mutant.file, mutant.function)
        code = live.__code__

        mutant.plant()

        assert live.__code__ is not code
        assert live.__code__.co_freevars == code.co_freevars


def test_a_call_of_the_class_above_can_be_dropped(kept: None) -> None:
    """Although the function then has no use for the cell of its class."""
    mutant = next(mutant for mutant in MUTANTS.values() if mutant.was == "super().__init__(port, world, record)")

    mutant.plant()

    assert "__class__" in found(mutant.file, mutant.function).__code__.co_freevars


def test_each_judgement_is_of_a_mutant_that_there_is() -> None:
    """With a reason; and no pattern is for nothing."""
    rules, alike = judged()

    assert [mutant for mutant in alike if mutant not in MUTANTS] == []
    assert [name for name, why in {**rules, **alike}.items() if not why.strip()] == []
    assert {aside(mutant) for mutant in MUTANTS} - {""} == {*rules.values()}
    assert [mutant for mutant in alike if aside(mutant)] == []
    assert all(equivalent(mutant) == why for mutant, why in alike.items())


def test_the_same_change_twice_in_a_function_has_two_names() -> None:
    """The second one is numbered."""
    assert Mutant("f.py", "g", "drop", "x()", 1, 2).id == "f.py g: drop `x()` #2"
