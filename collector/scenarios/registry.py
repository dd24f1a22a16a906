"""The list of all scenarios, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios import aba, harvestrace, latedecrement, markterm, noreset, pless, yuasa


if TYPE_CHECKING:
    from collector.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (aba, latedecrement, harvestrace, noreset, pless, markterm, yuasa)
}


def showing(bug: str) -> list[str]:
    """Names of the scenarios that show the bug of that id."""
    return [name for name, scenario in SCENARIOS.items() if bug in scenario.bugs]
