"""Compares the portfolio with the best single strategy, program by program: CPU seconds until one decides.

    python -m scripts.bench_portfolio [--seconds 20] [--seeds 3] [--program NAME ...]

A strategy has decided a program when it has found a fault or proved that there is none.  Seconds are the median over the
seeds, without shrinking; a strategy that does not decide it in `--seconds` of most seeds has none.  The last column is the
portfolio's seconds for each second of the best one.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from collector.explore import explore
from collector.scenarios.registry import SCENARIOS
from tests.collector.explore import authors, programs


if TYPE_CHECKING:
    from collector.explore.program import Program

SYSTEMATIC = ("dpor", "stateful", "exhaustive")
SAMPLERS = ("random", "urw", "pct", "pos", "surw")
PROGRAMS: dict[str, Program] = {
    **{
        f"{name} {variant}": SCENARIOS[name].variants[variant].program
        for name, variant in (
            ("aba", "failing"),
            ("aba", "fixed"),
            ("latedecrement", "failing"),
            ("latedecrement", "fixed"),
            ("harvest", "failing"),
            ("harvest", "fixed"),
            ("noreset", "failing"),
            ("pless", "failing"),
            ("markterm", "failing"),
            ("yuasa", "failing"),
        )
    },
    "barrier(2)": programs.barrier(2, 1),
    "barrier(2), late": programs.barrier(2, 1, late=True),
    "spin lock, 3": programs.spin_lock(3, by_exchange=True),
    "reorder_10": programs.reorder(10),
    "reorder_20": programs.reorder(20),
    "reorder_50": programs.reorder(50),
    "twostage_20": authors.twostage(20),
    "twostage_50": authors.twostage(50),
    "fib_bench(3)": authors.fibonacci(3),
    "fib_bench(4)": authors.fibonacci(4),
    "fib_bench(3), right": authors.fibonacci(3, more=1),
    "din_phil7": authors.philosophers(7),
    **{name: authors.VERDICTS[name][0] for name in ("peterson", "ticket lock", "loom #191", "bluetooth_driver")},
    "lastzero(8)": authors.lastzero(8),
    "indexer(13)": programs.indexer(13),
}


def seconds(program: Program, strategy: str, most: float, seeds: int) -> float | None:
    """CPU seconds in which the strategy decides the program; None if it mostly does not."""
    took: list[float] = []
    for seed in range(1, seeds + 1):
        if seed - len(took) > (seeds + 1) // 2:
            break
        begun = time.process_time()
        result = explore(program, strategy, schedules=10_000_000, seconds=most, seed=seed, shrink=False)
        if result.failure or result.exhausted:
            took.append(time.process_time() - begun)
    return median(took) if 2 * len(took) > seeds else None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="for one exploration (default 20)")
    parser.add_argument("--seeds", type=int, default=3, help="for whatever depends on chance (default 3)")
    parser.add_argument(
        "--program", choices=PROGRAMS, action="append", metavar="NAME", help="only this one; may be repeated"
    )
    arguments = parser.parse_args()
    print(f"{'program':24}{'best':>12}{'seconds':>9}{'portfolio':>11}{'ratio':>7}")
    for name in arguments.program or PROGRAMS:
        decides = partial(seconds, PROGRAMS[name])
        took = {strategy: decides(strategy, arguments.seconds, 1) for strategy in SYSTEMATIC}
        took |= {strategy: decides(strategy, arguments.seconds, arguments.seeds) for strategy in SAMPLERS}
        found = {strategy: s for strategy, s in took.items() if s is not None}
        everybody = decides("portfolio", arguments.seconds, arguments.seeds)
        best = min(found, key=lambda strategy: found[strategy], default="")
        print(
            f"{name:24}{best or 'none':>12}{f'{found[best]:.3f}' if best else '-':>9}"
            f"{f'{everybody:.3f}' if everybody is not None else '-':>11}"
            f"{f'{everybody / found[best]:.1f}' if best and everybody is not None else '-':>7}",
            flush=True,
        )


if __name__ == "__main__":
    main()
