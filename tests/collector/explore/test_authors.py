"""Other people's programs have the counts and the verdicts that they give them."""

from __future__ import annotations

import pytest

from collector.explore import explore
from tests.collector.explore import authors, genmc


COUNTS = authors.COUNTS | genmc.COUNTS


@pytest.mark.parametrize("name", COUNTS)
def test_as_many_executions(name: str) -> None:
    """DPOR runs each once and no other."""
    program, count = COUNTS[name]
    result = explore(program, "dpor")

    assert (result.schedules, result.pruned, result.exhausted) == (count, 0, True)


@pytest.mark.parametrize("name", authors.VERDICTS)
def test_verdicts(name: str) -> None:
    """A fault is found, and what has none is proved."""
    program, kind = authors.VERDICTS[name]
    result = explore(program, shrink=False)

    assert (result.failure.kind if result.failure else "") == kind
    assert result.exhausted == (not kind)


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_seven_philosophers_need_one_preemption(seed: int) -> None:
    """Shrinking comes to it: the others stop of themselves, each at its neighbour's fork."""
    failure = explore(authors.philosophers(7), "random", seed=seed).failure

    assert failure is not None
    assert (failure.kind, failure.preemptions, failure.steps) == ("deadlock", 1, 7)
