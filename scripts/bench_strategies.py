"""Measures how many schedules each strategy needs to find a fault: median and range over seeds.

    python scripts/bench_strategies.py [--seeds 20] [--most 20000] [--scenarios aba,latedecrement,...]

The failing variants of the scenarios, and `lost`, two threads that increment a counter without an atomic.  A strategy that
has not found the fault after `--most` schedules counts as `missed`.  Schedules do not depend on the machine's speed.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import TYPE_CHECKING

from collector.explore import explore
from collector.explore.strategies import NAMED
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

DEFAULT = "lost,aba,latedecrement,harvest,pless,markterm,yuasa"


def lost(machine: SteppedMachine) -> Callable[[], object]:
    """Two increments by load and store."""
    x = machine.word(0, "x")
    for _ in range(2):
        machine.spawn(lambda port: port.store(x, port.load(x) + 1))

    def check() -> None:
        assert machine.peek(x) == 2

    return check


def program(name: str) -> tuple[Program, bool]:
    """The program that fails under that name, and whether a race is a failure of it."""
    if name == "lost":
        return lost, True
    variant = SCENARIOS[name].variants["failing"]
    return variant.program, variant.races


def needed(name: str, strategy: str, seeds: int, most: int) -> str:
    """Median, range and misses."""
    found, missed = [], 0
    for seed in range(1, seeds + 1):
        what, races = program(name)
        result = explore(what, strategy, schedules=most, seed=seed, shrink=False, races=races)
        if result.failure:
            found.append(result.schedules)
        else:
            missed += 1
    if not found:
        return f"missed {missed}"
    text = f"{median(found):.0f} [{min(found)}..{max(found)}]"
    return f"{text} missed {missed}" if missed else text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--most", type=int, default=20_000)
    parser.add_argument("--scenarios", default=DEFAULT)
    args = parser.parse_args()
    names = args.scenarios.split(",")
    print(f"{'':12}" + "".join(f"{name:>24}" for name in names))
    for strategy in sorted(NAMED):
        cells = [needed(name, strategy, args.seeds, args.most) for name in names]
        print(f"{strategy:12}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
