"""Exit statuses follow the claim, in one place for all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from collector.commands.status import BUG, OK, USAGE, VIOLATION, WEAKER, status
from collector.explore.claim import Claim, Kind
from collector.explore.strategies.walk import RandomWalk
from collector.run import main


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (Kind.PROVED, [OK, OK, OK]),
        (Kind.BOUNDED, [OK, OK, WEAKER]),
        (Kind.SAMPLED, [OK, WEAKER, WEAKER]),
        (Kind.UNDECIDED, [OK, WEAKER, WEAKER]),
        (Kind.FAILED, [VIOLATION] * 3),
        (Kind.REFUSED, [USAGE] * 3),
    ],
)
def test_each_kind(kind: Kind, statuses: list[int]) -> None:
    """With nothing required, a bound, a proof."""
    assert [status(Claim(kind), require) for require in ("", "bounded", "proved")] == statuses


def test_require(capsys: pytest.CaptureFixture[str]) -> None:
    """A proof is one, a sample is none, and the line says what it is instead."""
    command = ["explore", "aba", "--variant", "fixed", "--require", "proved"]

    assert main([*command, "--strategy", "dpor"]) == OK
    capsys.readouterr()
    assert main([*command, "--strategy", "random", "--schedules", "5"]) == WEAKER
    assert capsys.readouterr().err == "collector.run explore: --require proved: the claim is sampled\n"


def test_an_error_of_our_own_is_no_failure_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A strategy that breaks in a thread's step ends the command as a bug."""

    def begin(_self: RandomWalk, _machine: SteppedMachine) -> tuple[object, object]:
        def pick(_i: int) -> NoReturn:
            message = "list index out of range"
            raise IndexError(message)

        return pick, pick

    monkeypatch.setattr(RandomWalk, "begin", begin)

    assert main(["explore", "aba", "--strategy", "random"]) == BUG
    said = capsys.readouterr()
    assert "IndexError" in said.err
    assert "failed:" not in said.out
