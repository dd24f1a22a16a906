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
