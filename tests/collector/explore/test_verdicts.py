"""Verdicts that hold: what is claimed of programs whose verdict is known."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from collector.explore import Result, explore
from tests.collector.explore import endingprograms, keepingprograms
from tests.collector.explore.callingprograms import CALLING, calling
from tests.collector.explore.changingprograms import KEEPING
from tests.collector.explore.hangingprograms import HANGS
from tests.collector.explore.hiddenprograms import HIDING
from tests.collector.explore.outsideprograms import OUTSIDE
from tests.collector.explore.patientprograms import PATIENT
from tests.collector.explore.unrepeatableprograms import DIFFERS


ENDS = endingprograms.ENDS | PATIENT
KEEPS = keepingprograms.KEEPS | KEEPING
HIDES = {name: keepingprograms.keeping_as(pair) for name, pair in (HIDING | OUTSIDE).items()}

STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")
UNFOUND = "two_polite_threads"
ROOT = Path(__file__).parents[3]
ASSERTS = """
from collector.explore import explore, replay

def program(machine, throws=False):
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))

    def check():
        assert machine.peek(x) == 2
        if throws and machine.peek(x) != 2:
            raise ValueError("lost")

    return check

for strategy in ("portfolio", "dpor", "stateful", "exhaustive", "random"):
    print(explore(program, strategy, schedules=200).claim)
token = explore(lambda machine: program(machine, throws=True)).failure.schedule
print(replay(token, program).claim)
"""
PASSED = {"proved", "bounded", "sampled", "undecided"}
OPAQUE = {"in_a_queue", "in_a_thread_local", "in_an_lru_cache", "in_a_module_found_by_name"}
"""What a thread keeps there cannot be looked into: a search that recognises states may find nothing, and says less."""


def told(result: Result) -> str:
    """For a message: the claim, and what was found."""
    return f"{result.claim}: {result.statement} {result.failure} {result.warnings}"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ENDS)
def test_a_program_that_ends_is_not_accused(name: str, strategy: str) -> None:
    """Long is no livelock."""
    result = explore(ENDS[name], strategy, schedules=2000, seconds=100)

    assert result.failure is None, told(result)
    assert result.claim.kind in PASSED, told(result)


@cache
def hanging(name: str, strategy: str) -> Result:
    """What comes of a program that hangs; one of them only in schedules of which nobody has to find any."""
    seconds = 10 if name == UNFOUND else 100
    return explore(HANGS[name], strategy, schedules=2000, seconds=seconds, steps=2000)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", HANGS)
def test_a_program_that_hangs_is_not_proved(name: str, strategy: str) -> None:
    """Found, or nothing is claimed that covers it."""
    result = hanging(name, strategy)

    assert not result.exhausted, told(result)
    if result.failure:
        assert result.failure.kind in {"livelock", "deadlock"}, told(result)
        assert result.claim.kind == "failed", told(result)
    elif name == UNFOUND:
        # In lock step for ever takes a preemption each turn: all that have few of them do end.
        assert result.claim.kind in {"bounded", "sampled", "undecided"}, told(result)
    else:
        assert result.claim.kind in {"sampled", "undecided"}, told(result)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", [name for name in HANGS if name != UNFOUND])
def test_a_hang_is_found(name: str, strategy: str) -> None:
    """By every strategy that claims proofs."""
    result = hanging(name, strategy)

    assert result.failure is not None, told(result)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", KEEPS)
def test_a_fault_is_found_wherever_what_was_read_is_kept(name: str, strategy: str) -> None:
    """Two states that differ only there are two states."""
    result = explore(KEEPS[name], strategy, schedules=2000, seconds=100)

    if name in OPAQUE and result.failure is None:
        assert result.claim.kind in {"sampled", "undecided"}, told(result)
        assert strategy == "stateful", told(result)
    else:
        assert result.failure is not None, told(result)
        assert result.failure.kind in {"check", "assertion"}, told(result)


@pytest.mark.parametrize("name", CALLING)
def test_what_c_code_holds_while_it_calls_back_is_not_overlooked(name: str) -> None:
    """Two states that differ only there are not merged."""
    result = explore(calling(CALLING[name]), "stateful", shrink=False)

    assert result.claim.kind == "failed", told(result)


@pytest.mark.parametrize("name", HIDES)
def test_what_is_kept_where_no_capture_looks_is_not_proved(name: str) -> None:
    """A search that recognises states finds the fault, or claims nothing; one that runs every trace finds it."""
    stateful = explore(HIDES[name], "stateful", schedules=2000, seconds=100, shrink=False)
    dpor = explore(HIDES[name], "dpor", schedules=2000, seconds=100, shrink=False)

    assert stateful.claim.kind in {"failed", "undecided"}, told(stateful)
    assert dpor.failure is not None, told(dpor)
    assert dpor.failure.kind == "check", told(dpor)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "random"])
@pytest.mark.parametrize("name", DIFFERS)
def test_what_differs_from_run_to_run_is_refused(name: str, strategy: str) -> None:
    """Or named, and nothing is claimed to be proved; it is never the program's failure."""
    result = explore(DIFFERS[name], strategy, schedules=300, seconds=100)

    assert not result.exhausted, told(result)
    assert result.failure is None, told(result)
    assert result.claim.kind in {"refused", "sampled", "undecided", "bounded"}, told(result)
    if result.claim.kind != "refused":
        assert any(
            "random" in text or "not the same" in text or "time" in text
            for text in [*result.warnings, result.statement]
        ), told(result)


def test_nothing_has_passed_where_assertions_are_left_out() -> None:
    """Under -O a program that loses an update would be proved; what it raises all the same is found."""
    done = subprocess.run(
        [sys.executable, "-O", "-c", ASSERTS], capture_output=True, text=True, check=True, cwd=ROOT, timeout=200
    )

    said = done.stdout.splitlines()
    assert len(said) == len(STRATEGIES) + 2
    assert [line for line in said if ": Python runs with -O, which leaves out assert statements" not in line] == []
