"""How many different ones there are in a union, of which only the least are kept."""

from __future__ import annotations

from collector.explore import explore
from collector.explore.strategies.distinct import LEAST, Distinct, least
from collector.scenarios.registry import SCENARIOS


def union(*parts: range) -> int:
    """How many there are, as far as that is told."""
    found = Distinct()
    for part in parts:
        found.add(least(part))
    assert len(found.kept) <= LEAST
    return found.number


def test_few_are_counted_exactly() -> None:
    """What two parts have in common counts once."""
    assert union() == 0
    assert union(range(100), range(50, 150), range(20)) == 150


def test_many_are_estimated() -> None:
    """Within a few of those 6 %; the same again changes nothing."""
    once = union(range(-5_000, 10_000), range(5_000, 20_000))

    assert abs(once - 25_000) < 5_000
    assert union(range(-5_000, 10_000), range(5_000, 20_000), range(12_000)) == once


def test_two_searches_have_traces_in_common() -> None:
    """By other seeds they see some new ones, and by the same none."""
    program = SCENARIOS["aba"].variants["fixed"].program
    found, sums, one = Distinct(), [], 0
    for seed in (1, 1, 2):
        result = explore(program, "urw", schedules=100, seed=seed, progress=lambda *_: None)
        found.add(result.distinct)
        sums.append(found.number)
        one = one or result.traces

    assert sums[0] == one == sums[1]
    assert one < sums[2] <= 33  # that is how many there are
