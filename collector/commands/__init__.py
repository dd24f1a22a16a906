"""The commands of `python -m collector.run`, a file each: `add_arguments(parser)` and `main(args) -> exit status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.commands import explain, explore, heap, inspect, referee, replay, scenarios, stress


if TYPE_CHECKING:
    from types import ModuleType

COMMANDS: dict[str, ModuleType] = {
    "stress": stress,
    "heap": heap,
    "referee": referee,
    "scenarios": scenarios,
    "explore": explore,
    "replay": replay,
    "explain": explain,
    "inspect": inspect,
}
