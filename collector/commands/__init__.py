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
    "museum": "Measure every scenario: schedules to the first failure by strategy, the fixed variant, what is counted.",
    "faults": "Test the checks: run planted faults and mutants of the source; which check detects which, and how soon?",
    "compare": "Compare designs of Go's work buffers, from the one before the seed on: contention, stops, buffers, waiting.",
    "explore": "Explore the interleavings of a scenario: find a schedule that fails, or say how much was covered.",
    "replay": "Replay a schedule from its token, step by step: a column per thread, values, lists, buffer histories.",
    "campaign": "Run a campaign: scenarios, tests, stress and heaps as tasks on many cores; what is done is not done again.",
    "explain": "Explain a failing schedule in numbered sentences, or print an entry of the catalogue (K-3, I7).",
    "inspect": "Query a log: a buffer's life, a thread's events, a cycle, contention, buffers held for long, or any SQL.",
    "hunt": "Find a schedule for a failure on real threads: from a failed run's log to a token that fails in the same way.",
    "exercise": "Find the bug: exercises for students, with hints and a solution; the explorer judges an attempt.",
    "guide": "Print a page of the guide: the protocol in ten minutes, testing your own lock-free code, reading the reports.",
}
"""What each command does; the first line of its module."""


def load(name: str) -> ModuleType:
    """The module of that command, imported."""
    return import_module(f"{__name__}.{name}")
