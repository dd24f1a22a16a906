"""The commands of `python -m collector.run`, a file each: `add_arguments(parser)` and `main(args) -> exit status`.

A command is imported when it is chosen: all of them together take twenty times as long as the interpreter itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from types import ModuleType

COMMANDS = {
    "stress": "Mark a real heap with real threads, cycle after cycle, and audit every one.",
    "heap": "Describe a heap: counts, roots by kind, depth, chains, degrees, the share that is reachable.",
    "referee": "Go as referee: collect BEFORE with our threads and compare, address by address, with what Go kept in AFTER.",
    "scenarios": "List the scenarios: known bugs and planted faults, each with variants that fail and variants that do not.",
    "explore": "Explore the interleavings of a scenario's variant on the stepped machine.",
    "replay": "Run one schedule again from its token, step by step, and show it: columns per M, values, lists, histories.",
    "explain": "Tell a schedule in numbered sentences: of a token, or of the failure that a scenario's name leads to.",
    "inspect": "Ask a log: a buffer's life, a thread's events, a cycle, contention, who held what for how long, or any SQL.",
}
"""What each command does; the first line of its module."""


def load(name: str) -> ModuleType:
    """The module of that command, imported."""
    return import_module(f"{__name__}.{name}")
