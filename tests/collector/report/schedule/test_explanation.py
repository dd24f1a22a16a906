"""A schedule in numbered sentences."""

from __future__ import annotations

import re

import pytest

from collector.explore.trace.shorten import Repetition, shortened
from collector.report.schedule.explanation import explained
from tests.collector.report.schedules import replayed


def test_what_is_done_again_is_told_once() -> None:
    """A thread that spins before its livelock: one round in words, and how often it goes round."""
    said = explained(replayed("noreset").schedule, "noreset", "noreset failing", 110)

    assert len(said.splitlines()) < 40
    assert re.search(r"These 3 steps come the same \d+ times more, until step \d+\.", said)


def test_no_step_is_lost_by_it() -> None:
    """What is told, and what is said to be done again, is the whole schedule."""
    schedule = replayed("noreset").schedule
    folded = [item for item in shortened(schedule) if isinstance(item, Repetition)]
    said = explained(schedule, "noreset", "noreset failing", 110)
    numbers = re.findall(r"^ *(\d+)\. ", said, re.MULTILINE)
    into, circle = schedule.course

    assert folded
    assert len(numbers) + sum(item.steps * item.times for item in folded) == len(into) + len(circle) - 1


@pytest.mark.parametrize("width", [60, 80])
def test_lines_are_as_wide_as_the_terminal(width: int) -> None:
    """And broken between words alone."""
    schedule = replayed("pless").schedule
    wide, narrow = (explained(schedule, "pless", "pless failing", n) for n in (10_000, width))

    assert max(map(len, narrow.splitlines())) <= width
    assert narrow.split() == wide.split()
