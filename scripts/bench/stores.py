"""What it costs that each M remembers its last pointer stores, for a lost object's report: a run with it over one without.

Both do the same work: so many collections, and of each mutator so many rounds of its program, one after the other.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from collector import heaps
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from scripts.bench.rows import BenchError, Row, inturn


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.heaps.graph import Graph

HEAP = "synthetic:random,n=3000,m=8000,seed=1"
CYCLES = 3
ROUNDS = 40_000
"""Of each program."""
RUNS = {"default programs": Plan().programs, "rewire": ("rewire",), "pushpop": ("pushpop",)}
"""What the mutators run; pushpop does little else than to store."""


class Counted(StressM):
    """Ends a program after so many rounds, and not before, whatever it is asked."""

    rounds = 0

    def stop_requested(self) -> bool:
        """By the count alone."""
        self.rounds += 1
        return self.rounds > ROUNDS


def rows(rounds: int) -> Iterator[Row]:
    """By processor time."""
    graph = heaps.read(HEAP)
    for name, programs in RUNS.items():
        spent(graph, programs, stores=True)
        found = inturn(
            rounds,
            {
                "kept": lambda programs=programs: spent(graph, programs, stores=True),  # type: ignore[misc]
                "not": lambda programs=programs: spent(graph, programs, stores=False),  # type: ignore[misc]
            },
        )
        yield Row(
            f"{CYCLES} cycles, {name}", "stores not kept", found.ratios("kept", "not"), found.median("kept"), "s", 1.1
        )


def spent(graph: Graph, programs: tuple[str, ...], *, stores: bool) -> float:
    """Processor seconds of one run, all threads."""
    config = Config(mutators=len(programs), helpers=0)
    plan = Plan(config=config, programs=programs, cycles=CYCLES, period=0.0, stores=stores)
    run = Stress(plan, graph, Counted)
    gc.collect()
    gc.disable()
    began = time.process_time()
    try:
        run.run()
        took = time.process_time() - began
    finally:
        gc.enable()
    short = [m.rounds for m in run.ms if isinstance(m, Counted) and 0 < m.rounds <= ROUNDS]
    if len(run.reports) != CYCLES or short:
        raise BenchError(f"{programs}: {len(run.reports)} cycles, and programs ended after {short} rounds")
    return took
