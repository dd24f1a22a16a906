"""All scenarios by name; a scenario's file is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.scenarios.scenario import Scenario

FILES = {
    "aba": "aba",
    "latedecrement": "latedecrement",
    "harvest": "harvestrace",
    "noreset": "noreset",
    "pless": "pless",
    "markterm": "markterm",
    "yuasa": "yuasa",
}
"""The file of each."""


class Registry(Mapping[str, "Scenario"]):
    """The scenarios in the order in which they are listed."""

    def __getitem__(self, name: str) -> Scenario:
        scenario: Scenario = import_module(f"collector.scenarios.{FILES[name]}").SCENARIO
        return scenario

    def __contains__(self, name: object) -> bool:
        return name in FILES

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


SCENARIOS = Registry()


def showing(bug: str) -> list[str]:
    """Names of the scenarios that show the bug of that id."""
    return [name for name, scenario in SCENARIOS.items() if bug in scenario.bugs]
