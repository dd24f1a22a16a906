"""Explores the termination barrier with every strategy, correct and with a late decrement, and checks the verdicts.

    python -m scripts.barrier [--schedules 200000] [--seconds 30] [--participants 2,3]

The program has the shape of getfull (`programs.barrier`): every participant begins with one buffer, and one more is
published.  The fault is to decrement the count of waiters after the pop; it needs three preemptions.  A verdict is wrong if
the correct barrier fails, or if the faulty one is said to have been explored completely: exit status 1.  A strategy may miss
the fault within its budget, as long as its claim says no more than what was explored.
"""

from __future__ import annotations

import argparse
import sys

from collector.explore import explore
from collector.explore.strategies import NAMED
from tests.collector.explore import programs


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=200_000, help="for each verdict (default 200000)")
    parser.add_argument("--seconds", type=float, default=30.0, help="for each verdict (default 30)")
    parser.add_argument("--participants", default="2,3", help="(default 2,3)")
    args = parser.parse_args()
    untrue = 0
    print(f"{'strategy':12}{'barrier':12}{'schedules':>9}{'cut off':>9}{'seconds':>9}  verdict")
    for name in sorted(NAMED):
        for participants in map(int, args.participants.split(",")):
            for late in (False, True):
                program = programs.barrier(participants, 1, late=late)
                result = explore(program, name, schedules=args.schedules, seconds=args.seconds)
                false = result.exhausted if late else result.failure is not None
                untrue += false
                found = "UNTRUE: " if false else "not found: " if late and not result.failure else ""
                print(
                    f"{name:12}{f'{participants} late' if late else f'{participants} correct':12}"
                    f"{result.schedules:9,}{result.pruned:9,}{result.seconds:9.2f}  "
                    f"{found}{result.statement}",
                    flush=True,
                )
                for warning in result.warnings:
                    print(f"{'':53}{warning}")
    return 1 if untrue else 0


if __name__ == "__main__":
    sys.exit(main())
