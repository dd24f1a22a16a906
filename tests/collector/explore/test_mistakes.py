"""Whatever is wrong with an arbitrary program, and wherever: it is said, with its line, by every strategy."""

from __future__ import annotations

import pytest

from collector.explore import explore
from tests.collector.explore.mistakes import HANGING, NAMES, misjudged, mistaken


STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive", "random")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HANGING])
def test_a_mistake_is_told(name: str, seed: int) -> None:
    """By its kind, in words that name it, at its line."""
    for strategy in STRATEGIES:
        mistake = mistaken(name, seed)
        wrong = misjudged(mistake.expected, explore(mistake.program, strategy, schedules=200, shrink=False))
        assert not wrong, f"{strategy}, seed {seed}: {wrong}"


@pytest.mark.parametrize("name", HANGING)
def test_a_hang_is_told(name: str, seed: int) -> None:
    """By the watchdog."""
    mistake = mistaken(name, seed)
    wrong = misjudged(mistake.expected, explore(mistake.program, "random", seconds=0.2, shrink=False))
    assert not wrong, f"seed {seed}: {wrong}"
