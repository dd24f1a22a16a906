"""Nobody claims too much of programs whose threads share Python objects, and who would is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.dpor import objects
from tests.collector.explore import sharers
from tests.collector.explore.sharedthings import THINGS
from tests.collector.explore.traces import TooMany


if TYPE_CHECKING:
    import pytest


MOST = 100
"""Schedules of one program."""


def first_wrong(seed: int, programs: int) -> str:
    """What is wrong with one of so many programs."""
    for number in range(seed, seed + programs):
        try:
            wrong = sharers.judged(number, MOST).wrong
        except TooMany:
            continue
        if wrong:
            return f"seed {number}: {wrong}"
    return ""


def test_nobody_claims_too_much(seed: int) -> None:
    """`scripts.fuzz_programs --vocabulary objects` takes as many programs as one likes."""
    assert first_wrong(seed, 12) == ""


def test_who_does_not_look_at_objects_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """DPOR that takes all turns' objects for ordered claims too much of one of the first programs, and it is shown."""
    monkeypatch.setattr(objects, "conflict", lambda _xs, _ys: "")

    wrong = first_wrong(0, 40)
    assert "dpor" in wrong
    assert " never comes, as it did " in wrong
    assert "def program(machine):" in wrong


def test_every_kind_of_thing_is_drawn_and_compiles() -> None:
    """Alone, and as the second of two."""
    drawn = [sharers.Drawn(seed) for seed in range(300)]
    for one in drawn:
        compile(one.source, "drawn", "exec")
    assert {one.named[0] for one in drawn} == {one.named[-1] for one in drawn if len(one.named) > 1} == {*THINGS}
