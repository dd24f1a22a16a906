"""Schedules and steps a second on the Treiber stack, beside other tools, in one run.

    python scripts/bench_explore.py [--seconds 3] [--rounds 3] [--rivals PYTHON]

The model: three nodes, one thread pops, the other pops two and pushes the first back; the head is counted, so that every
schedule passes and all are run.  With --rivals, the tools frontrun 0.7.0 and interleave-test 0.1.0 are installed for that
interpreter, each in an environment of its own, and run the same model as Python (scripts/rivals/treiber.py); needs a
package index.  Everything is pinned to one core where the system allows.  Figures are medians with their range; what
counts is the ratios at the end, since the machine is shared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from collector.explore import explore
from collector.scenarios.aba import stack
from workbuf.lfstack import CNT_BITS


STRATEGIES = ("random", "urw", "pct", "pos", "surw", "dfs")
RIVALS = (
    ("frontrun", "frontrun==0.7.0", "random", 200),
    ("interleave", "interleave-test==0.1.0", "random", 1000),
    ("interleave", "interleave-test==0.1.0", "pct", 1000),
)


def ours(strategy: str, seconds: float) -> tuple[float, float]:
    """Schedules a second and steps a second."""
    result = explore(stack(CNT_BITS), strategy, schedules=10**9, seconds=seconds)
    if result.failure:
        sys.exit(f"{strategy}: {result.failure}")
    return result.schedules / result.seconds, result.steps / result.seconds


def theirs(python: str, rounds: int) -> dict[str, list[float]]:
    """Schedules a second of each rival, by name and strategy."""
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for tool, package, strategy, schedules in RIVALS:
            home = Path(directory) / tool
            if not home.exists():
                subprocess.run([python, "-m", "venv", home], check=True)
                subprocess.run([home / "bin/python", "-m", "pip", "install", "--quiet", package], check=True)
            model = Path(__file__).with_name("rivals") / "treiber.py"
            for _ in range(rounds):
                # frontrun's launcher preloads what it needs; the other tool has none.
                launcher = [str(home / "bin" / tool)] if tool == "frontrun" else []
                command = [*launcher, str(home / "bin/python"), str(model), tool, strategy, str(schedules)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                ran, seconds = done.stdout.split()[-2:]
                rates.setdefault(f"{package} {strategy}", []).append(int(ran) / float(seconds))
    return rates


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):>10,.0f}  [{min(values):,.0f} .. {max(values):,.0f}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rivals", metavar="PYTHON")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    best = 0.0
    print(f"{'strategy':34}  schedules/s{'':28}steps/s")
    for strategy in STRATEGIES:
        runs = [ours(strategy, args.seconds) for _ in range(args.rounds)]
        rates = [rate for rate, _ in runs]
        best = max(best, median(rates))
        print(f"{strategy:34}  {spread(rates):38} {spread([steps for _, steps in runs])}")
    if args.rivals:
        for name, rates in theirs(args.rivals, args.rounds).items():
            print(f"{name:34}  {spread(rates):38} ours over it: {best / median(rates):,.0f}")


if __name__ == "__main__":
    main()
