"""Runs DPOR on the programs of Flanagan and Godefroid 2005 and compares its executions with the published numbers.

    python -m scripts.literature

`printed` is what Abdulla et al. 2014 print for optimal DPOR, `counted` is every schedule of every independent group of
threads run and told apart without DPOR (`literature`).  Exit status 1 if the three differ anywhere, a schedule
was cut off, or the search did not end.
"""

from __future__ import annotations

import sys

from collector.explore import explore
from tests.collector.explore.literature import MAKERS, PRINTED, by_brute_force


SIZES = {"filesystem": range(13, 20), "indexer": range(11, 16)}


def main() -> int:
    """Print the table."""
    wrong = 0
    print(
        f"{'program':16}{'DPOR':>8}{'cut off':>9}  exhausted{'printed':>9}{'counted':>9}{'seconds':>9}{'steps/s':>10}"
    )
    for name, sizes in SIZES.items():
        for threads in sizes:
            result = explore(MAKERS[name](threads), "dpor")
            printed, counted = PRINTED.get((name, threads)), by_brute_force(name, threads)
            wrong += (
                {result.schedules, counted, printed or counted} != {counted}
                or result.pruned > 0
                or not result.exhausted
            )
            print(
                f"{f'{name}({threads})':16}{result.schedules:8}{result.pruned:9}  {result.exhausted!s:9}{printed or '-':>9}"
                f"{counted:9}{result.seconds:9.2f}{result.steps / result.seconds:10,.0f}",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
