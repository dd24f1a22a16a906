"""The programs of Flanagan and Godefroid 2005, and how many Mazurkiewicz traces they have.

Theory of operation.  Threads that touch no cell in common, in no interleaving, form independent groups, and a program has
as many traces as the product of its groups'.  A group of these programs is two threads at most, which plain depth-first
search walks through, every schedule of it; the traces among them are told by `traces`, which knows nothing
of DPOR.  That the groups touch nothing in common is looked up in the schedules themselves.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from tests.collector.explore import programs
from tests.collector.explore.traces import executions


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.collector.explore.programs import Program

PRINTED = {
    ("filesystem", 14): 2,
    ("filesystem", 16): 8,
    ("filesystem", 18): 32,
    ("filesystem", 19): 64,
    ("indexer", 12): 8,
    ("indexer", 15): 4096,
}
"""Program and threads to the traces that Abdulla et al. print for optimal DPOR (POPL 2014, table 1)."""
MAKERS: dict[str, Callable[[int | Sequence[int]], Program]] = {
    "filesystem": programs.filesystem,
    "indexer": programs.indexer,
}


def by_brute_force(name: str, threads: int) -> int:
    """Traces of the program with so many threads."""
    groups = [[tid] for tid in range(threads)]
    while True:
        counted = [counted_of(MAKERS[name](group)) for group in groups]
        pair = next(
            ((i, j) for i in range(len(groups)) for j in range(i + 1, len(groups)) if counted[i][1] & counted[j][1]),
            None,
        )
        if pair is None:
            return prod(traces for traces, _ in counted)
        i, j = pair
        groups[i] += groups.pop(j)


def counted_of(program: Program) -> tuple[int, set[int]]:
    """Its traces, and the cells that it touches in any of its schedules."""
    runs = list(executions(program, "dfs"))
    return len({run.trace for run in runs}), {step.cell for run in runs for step in run.steps}
