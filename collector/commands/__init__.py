"""The commands of `python -m collector.run`, one to a file: `add_arguments(parser)` and `main(args) -> exit status`.

A command is imported when it is chosen: all of them together take twenty times as long as the interpreter itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from types import ModuleType

COMMANDS = {
    "stress": "Mark a real heap with real threads, cycle after cycle, and audit every mark.",
    "heap": "Describe a heap: counts, roots by kind, depth, chains, degrees, the share that is reachable.",
    "referee": "Compare with Go: collect the heap dump BEFORE with our threads, and compare with Go's dump AFTER.",
    "scenarios": "List the scenarios: known bugs and planted faults, each with variants that fail and variants that do not.",
    "explore": "Explore the interleavings of a scenario: find a schedule that fails, or say how much was covered.",
    "replay": "Replay a schedule from its token, step by step: a column per thread, values, lists, buffer histories.",
    "explain": "Explain a failing schedule in numbered sentences, or print an entry of the catalogue (K-3, I7).",
    "inspect": "Query a log: a buffer's life, a thread's events, a cycle, contention, buffers held for long, or any SQL.",
    "exercise": "Find the bug: exercises for students, with hints and a solution; the explorer judges an attempt.",
    "guide": "Print a page of the guide: the protocol in ten minutes, testing your own lock-free code, reading the reports.",
}
"""What each command does; the first line of its module."""


def load(name: str) -> ModuleType:
    """The module of that command, imported."""
    return import_module(f"{__name__}.{name}")
