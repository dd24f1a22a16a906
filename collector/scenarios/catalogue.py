"""Every scenario, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios import aba, harvestrace, latedecrement, markterm, noreset, pless, yuasa


if TYPE_CHECKING:
    from collector.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (aba, latedecrement, harvestrace, noreset, pless, markterm, yuasa)
}
