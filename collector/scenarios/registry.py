"""All scenarios by name; a scenario's file is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from collector.scenarios.contents import CONTENTS


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
    "parfor": "parfor",
    "scanvalid": "scanvalid",
    "scansyscall": "scansyscall",
    "lostrequest": "lostrequest",
    "chansend": "chansend",
    "secondmark": "secondmark",
    "checkmark": "checkmark",
    "ownership": "ownership",
    "stuck": "stuck",
    "barrieroff": "barrieroff",
    "assist": "assist",
    "firstharvest": "firstharvest",
    "hiddenlist": "hiddenlist",
    "runqempty": "runqempty",
    "rwmutex": "rwmutex",
    "lockorder": "lockorder",
    "raggedbarrier": "raggedbarrier",
    "flushorder": "flushorder",
    "disableorder": "disableorder",
    "rescan": "rescan",
    "maxtree": "maxtree",
    "rootcheck": "rootcheck",
    "packing": "packing",
    "freednode": "freednode",
    "outsider": "outsider",
    "stalerequest": "stalerequest",
    "atomicand": "atomicand",
    "storefirst": "storefirst",
    "recache": "recache",
    "cacheonce": "cacheonce",
    "plainreads": "plainreads",
    "phaseoff": "phaseoff",
    "schedulercache": "schedulercache",
    "worldsema": "worldsema",
    "stackspan": "stackspan",
    "helpthrow": "helpthrow",
    "doublegrey": "doublegrey",
    "fulltest": "fulltest",
    "specialswalk": "specialswalk",
    "partialblind": "partialblind",
    "takeback": "takeback",
    "flapping": "flapping",
    "prefetch": "prefetch",
    "neverfreed": "neverfreed",
    "assistbalance": "assistbalance",
    "sleeps": "sleeps",
    "hugeobject": "hugeobject",
    "freshbuffer": "freshbuffer",
    "shadeharvest": "shadeharvest",
    "secondharvest": "secondharvest",
    "shadefull": "shadefull",
    "debugwbufs": "debugwbufs",
    "checks": "checks",
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
    return [name for name, scenario in CONTENTS.items() if bug in scenario.bugs]
