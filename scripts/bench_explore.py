"""Measures schedules and steps a second on the Treiber stack, for each strategy and for other tools.

    python scripts/bench_explore.py [--seconds 1] [--rounds 5] [--rivals PYTHON]

The model: three nodes, one thread pops, the other pops two and pushes the first back; the head is counted, so that every
schedule passes and all are run.  Each of our strategies runs it bare and under the race detector; those that come to an end
begin again.  With --rivals, the tools frontrun 0.7.0 and interleave-test 0.1.0 are installed for that interpreter (3.12 or
later), each in an environment of its own, and run the same model as Python (scripts/rivals/treiber.py); needs a package
index.

Everything is pinned to one core where the system allows.  Whoever is measured is measured in every round, in turn, so a busy
machine slows all of them; figures are medians with their range, and so are the ratios, each of a round's figures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from collector.explore import explore
from collector.scenarios.aba import stack
from workbuf.lfstack import CNT_BITS


class Rate(NamedTuple):
    """What was done in a second."""

    schedules: float
    steps: float = 0.0


class Rival(NamedTuple):
    """Another tool and how it is run."""

    tool: str
    package: str
    strategy: str
    schedules: int


STRATEGIES = ("random", "urw", "pct", "pos", "surw", "portfolio", "exhaustive", "dfs", "dpor", "stateful")
RIVALS = (
    Rival("frontrun", "frontrun==0.7.0", "random", 100),
    Rival("frontrun", "frontrun==0.7.0", "dpor", 60),
    Rival("interleave", "interleave-test==0.1.0", "random", 500),
    Rival("interleave", "interleave-test==0.1.0", "pct", 500),
)
COMPARED = (("random", True), ("pct", True), ("dpor", True))
"""Which of ours the others are compared with: those that also watch for races."""


def ours(strategy: str, seconds: float, *, races: bool) -> Rate:
    """One of our strategies."""
    schedules = steps = 0
    spent = 0.0
    while spent < seconds:
        result = explore(stack(CNT_BITS), strategy, schedules=10**9, seconds=seconds - spent, races=races)
        if result.failure:
            sys.exit(f"{strategy}: {result.failure}")
        schedules += result.schedules + result.pruned
        steps += result.steps
        spent += result.seconds
    return Rate(schedules / spent, steps / spent)


def theirs(rival: Rival, home: Path) -> Rate:
    """Another tool, from its environment."""
    model = Path(__file__).with_name("rivals") / "treiber.py"
    # frontrun's launcher preloads what it needs; the other tool has none.
    launcher = [str(home / "bin" / rival.tool)] if rival.tool == "frontrun" else []
    command = [*launcher, str(home / "bin/python"), str(model), rival.tool, rival.strategy, str(rival.schedules)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    ran, seconds = done.stdout.split()[-2:]
    return Rate(int(ran) / float(seconds))


def install(python: str, directory: Path) -> dict[str, Path]:
    """An environment per tool."""
    homes = {}
    for tool, package in {rival.tool: rival.package for rival in RIVALS}.items():
        homes[tool] = home = directory / tool
        subprocess.run([python, "-m", "venv", home], check=True)
        subprocess.run([home / "bin/python", "-m", "pip", "install", "--quiet", package], check=True)
    return homes


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):>9,.0f}  [{min(values):,.0f} .. {max(values):,.0f}]"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each of our figures, per round (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="(default 5)")
    parser.add_argument("--rivals", metavar="PYTHON", help="interpreter to install the other tools for")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    mine: dict[tuple[str, bool], list[Rate]] = {(name, races): [] for name in STRATEGIES for races in (False, True)}
    others: dict[Rival, list[Rate]] = {rival: [] for rival in RIVALS if args.rivals}
    with tempfile.TemporaryDirectory() as directory:
        homes = install(args.rivals, Path(directory)) if args.rivals else {}
        for _ in range(args.rounds):
            for (name, races), rates in mine.items():
                rates.append(ours(name, args.seconds, races=races))
            for rival, rates in others.items():
                rates.append(theirs(rival, homes[rival.tool]))

    print(f"{'strategy':12}{'races':7}{'schedules/s':>9}{'':24}steps/s")
    for (name, races), rates in mine.items():
        schedules, steps = spread([rate.schedules for rate in rates]), spread([rate.steps for rate in rates])
        print(f"{name:12}{'watched' if races else '-':7}{schedules:35}{steps}")
    if others:
        ratios = "".join(f"{f'our {name}, races watched':32}" for name, _ in COMPARED)
        print(f"\n{'other tool':32}{'schedules/s':>9}{'':24}times as many: {ratios}")
    for rival, rates in others.items():
        cells = [
            spread([our.schedules / their.schedules for our, their in zip(mine[which], rates, strict=True)])
            for which in COMPARED
        ]
        name = f"{rival.package} {rival.strategy}"
        print(
            f"{name:32}{spread([rate.schedules for rate in rates]):35}{'':15}" + "".join(f"{cell:32}" for cell in cells)
        )


if __name__ == "__main__":
    main()
