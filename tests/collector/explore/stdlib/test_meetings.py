"""What threads see of each other in the library's own code: every outcome is found, and nothing else is said to be wrong."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from collector.explore import explore
from collector.explore.stdlib import load
from tests.collector.explore.compare import compare_bounded, compare_dpor
from tests.collector.explore.stdlib import meetings
from tests.collector.explore.traces import executions


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import Result, SteppedMachine


STRATEGIES = ("dpor", "stateful", "dfs")
SAID = frozenset({"total", "every", "Hidden", "__dict__"})
"""Names that are said not to be watched."""


def program_of(
    name: str, see: Callable[[Any], object] = lambda _two: None, unwatched: frozenset[str] = SAID
) -> Callable[[SteppedMachine], Callable[[], None]]:
    """The two threads of that class; `see` looks at it when they have ended."""

    def program(machine: SteppedMachine) -> Callable[[], None]:
        two = attrgetter(name)(load(machine, meetings.__name__, unwatched=unwatched))()
        machine.spawn(lambda _port: two.a())
        machine.spawn(lambda _port: two.b())

        def check() -> None:
            see(two)

        return check

    return program


def found(name: str, strategy: str, **how: Any) -> Result:  # noqa: ANN401  options of explore
    """What that strategy says of it."""
    return explore(program_of(name), strategy, shrink=False, **how)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("name", "outcome", "expected"),
    [
        ("Items", lambda two: two.first(), {1, 2}),
        ("Alive", lambda two: two.seen, {False, True}),
        ("Released", lambda two: (two.by_a, two.by_b), {(True, False), (False, True)}),
        ("Started", lambda two: two.seen, {("Thread-1", True), ("Thread-1", False)}),
    ],
)
def test_all_that_can_come_of_it(
    name: str, outcome: Callable[[Any], object], expected: set[object], strategy: str
) -> None:
    """None of it is a failure; DPOR may say that it does not know all."""
    seen: set[object] = set()
    result = explore(program_of(name, lambda two: seen.add(outcome(two))), strategy, shrink=False, early=0)
    assert result.claim.kind in {"proved", "undecided"}, str(result)
    assert result.claim.kind == "proved" or strategy == "dpor"
    assert seen == expected or result.claim.kind == "undecided"


@pytest.mark.parametrize("strategy", ["dpor", "stateful"])
def test_a_barrier_changes_under_who_looks(strategy: str) -> None:
    """Nothing holds what it reads together."""
    seen: set[object] = set()
    result = explore(program_of("Waiters", lambda two: seen.add(two.seen)), strategy, shrink=False)
    assert result.claim.kind == "proved", str(result)
    assert {(0, 0, False), (0, 1, False), (1, 1, False), (1, 0, True)} <= seen


@pytest.mark.parametrize("name", ["Makes", "Owners", "Itself", "Leaving", "Served", "Polled", "Early", "Guarded"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_right(name: str, strategy: str) -> None:
    """Is proved."""
    result = found(name, strategy)
    assert result.claim.kind == "proved", str(result)


def test_real_threads_carry_the_same() -> None:
    """Those that are ended where they wait leave their locks, too."""
    for name in ("Served", "Waiters"):
        result = found(name, "dpor", vehicle="threads")
        assert result.claim.kind == "proved", str(result)
    failure = found("Stood", "dpor", vehicle="threads").failure
    assert failure is not None
    assert failure.kind == "deadlock"


@pytest.mark.parametrize("name", ["Stood", "Unserved"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_is_no_daemon_waits_for_ever(name: str, strategy: str) -> None:
    """Also where there are daemons besides."""
    failure = found(name, strategy).failure
    assert failure is not None
    assert failure.kind == "deadlock"
    assert "end of daemons" not in failure.message


@pytest.mark.parametrize("name", ["Counted", "Late", "Asked", "Outer.Inner", "Derived"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_attributes_that_come_late_or_hide(name: str, strategy: str) -> None:
    """They are watched like the others."""
    failure = found(name, strategy).failure
    assert failure is not None, name
    assert failure.kind == "race"


def test_who_else_has_missed_an_attribute_makes_no_difference() -> None:
    """To the steps that a thread takes: the searches agree."""
    program = program_of("Nowhere")
    compare_dpor(program, list(executions(program, "dfs")))
    assert not compare_bounded(program, 1000)


def test_a_count_in_the_class_is_lost() -> None:
    """As a step, to read it is one too."""
    seen: set[object] = set()
    program = program_of("Counted", lambda two: seen.add(two.count))
    assert explore(program, "exhaustive", plain_points=True, races=False, shrink=False).failure is None
    assert seen == {1, 2}


@pytest.mark.parametrize(
    ("name", "warning", "unwatched"),
    [
        ("Totals", "the attribute total of the class Totals may change", "total"),
        ("Listed", "the attribute every of the class Listed may change", "every"),
        ("made", "the class Hidden of ", "Hidden"),
        ("Bypassed", "attributes of Bypassed are got as __dict__", "__dict__"),
    ],
)
def test_what_a_class_has_is_not_watched(name: str, warning: str, unwatched: str) -> None:
    """It is said, and nothing is proved."""
    result = explore(program_of(name, unwatched=SAID - {unwatched}), "stateful", shrink=False)
    assert result.claim.kind == "undecided"
    assert any(warning in each for each in result.warnings), result.warnings


def test_what_a_test_gives_to_objects_is_said() -> None:
    """Nobody knew that it would."""

    def program(machine: SteppedMachine) -> None:
        two = load(machine, meetings.__name__, unwatched=SAID).Asking()

        def stops(_port: object) -> None:
            two.over = True

        machine.spawn(lambda _port: two.a())
        machine.spawn(stops)

    result = explore(program, "stateful", shrink=False)
    assert result.claim.kind == "undecided"
    assert any("the attribute over of the class Asking is given" in each for each in result.warnings), result.warnings


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("name", "reason"),
    [("Enumerates", "there is no stand-in for threading.enumerate"), ("Pooled", "none of the machine's")],
)
def test_what_is_refused(name: str, reason: str, strategy: str) -> None:
    """In a line, at the place."""
    claim = found(name, strategy).claim
    assert claim.kind == "refused"
    assert reason in claim.reason
    assert claim.where


@pytest.mark.parametrize("strategy", ["stateful", "dfs"])
def test_an_invariant_looks_from_outside(strategy: str) -> None:
    """It is no access of the thread that happens to run."""

    def program(machine: SteppedMachine) -> None:
        two = load(machine, meetings.__name__, unwatched=SAID).Guarded()
        machine.spawn(lambda _port: two.a())
        machine.spawn(lambda _port: two.b())

        def holds() -> None:
            assert two._value in {0, 1}
            two.lock.locked()

        machine.invariant(holds)

    result = explore(program, strategy, shrink=False)
    assert result.claim.kind == "proved", str(result)
