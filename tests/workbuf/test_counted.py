"""So many of something, in words."""

from __future__ import annotations

import pytest

from workbuf.counted import counted


@pytest.mark.parametrize(
    ("n", "what", "said"),
    [
        (0, "schedule", "0 schedules"),
        (1, "schedule", "1 schedule"),
        (2, "more P", "2 more Ps"),
        (1, "entry", "1 entry"),
        (3, "entry", "3 entries"),
        (3, "process", "3 processes"),
        (3, "branch", "3 branches"),
    ],
)
def test_the_number_that_is_asked_for(n: int, what: str, said: str) -> None:
    """One, none or many."""
    assert counted(n, what) == said
