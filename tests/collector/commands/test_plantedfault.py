"""Planted faults on the stepped machine: by name on the command line, and the schedule that is told behind a stress run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.commands import plantedfault
from collector.commands.status import OK, USAGE, VIOLATION
from collector.explore import Failure, Result
from collector.explore.trace.step import Schedule
from collector.run import main


if TYPE_CHECKING:
    Capture = pytest.CaptureFixture[str]

NAME = "push-count-constant"
STRESS = ["--heap", "synthetic:random,n=300", "--cycles", "1", "--mutators", "1", "--quiet", "--seed", "1"]


def test_a_schedule_is_told_that_fails_when_it_is_replayed(capsys: Capture) -> None:
    """The commands printed with it show the same failure; the verdict on the run stays the last line."""
    assert main(["stress", *STRESS, "--plant", NAME]) in {
        OK,
        VIOLATION,
    }  # now and then its threads take such a schedule
    said = capsys.readouterr().out.splitlines()
    told = next(i for i, line in enumerate(said) if line.startswith("the explorer finds this fault"))
    assert said[told + 1] == "  check: a node is lost or in two places"
    assert said[-1].startswith(("ok: ", "failed: "))

    command = said[told + 3].partition("collector.run ")[2].split()
    assert main(command[:2]) == VIOLATION
    assert capsys.readouterr().out.endswith("failed: check: a node is lost or in two places\n")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("harvest-by-store", "a stress run does not see it: in the stopped world nobody else takes"),
        ("cache-by-store", "no run can tell it from the protocol: only the M itself fills its cache"),
        ("handoff-drops", "it needs other meetings of threads"),
    ],
)
def test_that_a_fault_did_not_show_is_said(fault: str, why: str, capsys: Capture) -> None:
    """And why, where that is known.  One goroutine marks nothing that it could hand off."""
    assert main(["stress", *STRESS, "--plant", fault, "--helpers", "0"]) == OK
    assert f"\nthe planted fault {fault} did not show in this run; {why}" in capsys.readouterr().out


def failing(kind: str) -> Result:
    """A replay that fails so."""
    return Result("replay", 0, failure=Failure(kind, "something else", "", Schedule((), ())))


@pytest.mark.parametrize("again", [Result("replay", 0), failing("check"), failing("throw")])
def test_what_does_not_fail_again_is_not_told(again: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule that passes when it is replayed, or fails in another way, is no finding."""
    monkeypatch.setattr("collector.explore.replay", lambda *_: again)

    said = plantedfault.schedule(NAME)

    assert said.startswith(
        "the explorer's schedule for this fault does not fail again as it did: check: a node is lost"
    )
    assert "python -m" not in said


def test_a_fault_without_a_program(capsys: Capture) -> None:
    """The run tells nothing more; asked for by name it is refused in one line, as is one that there is not."""
    assert plantedfault.schedule("push-by-store") == ""
    for name, why in (
        ("push-by-store", "stress alone runs with it"),
        ("push-count-constan", f"(did you mean {NAME}?)"),
    ):
        assert main(["explore", f"fault:{name}"]) == USAGE
        said = capsys.readouterr().err
        assert why in said
        assert said.count("\n") == 1


def test_a_fault_by_name(capsys: Capture) -> None:
    """As a scenario of its own: explored and explained; it has no variants."""
    assert main(["explain", f"fault:{NAME}"]) == VIOLATION
    assert "a node is lost or in two places" in capsys.readouterr().out
    assert main(["explore", f"fault:{NAME}", "--variant", "fixed"]) == USAGE
