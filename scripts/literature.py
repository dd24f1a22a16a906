"""Runs DPOR on programs of the literature and compares its executions with the published numbers.

    python -m scripts.literature

`printed` is what Abdulla et al. 2014 print for optimal DPOR, `counted` is every schedule of every independent group of
threads run and told apart without DPOR (`literature`).  Then GenMC's tests that take seconds, beside GenMC's counts.
Exit status 1 if they differ anywhere, a schedule was cut off, or the search did not end.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from collector.explore import explore
from tests.collector.explore.genmc import LONGER
from tests.collector.explore.literature import MAKERS, PRINTED, by_brute_force


if TYPE_CHECKING:
    from tests.collector.explore.programs import Program

SIZES = {"filesystem": range(13, 20), "indexer": range(11, 16)}
MOST = 100_000
"""Schedules of one program."""


def row(name: str, program: Program, printed: int | None, counted: int | None) -> bool:
    """Print a program's line; does DPOR agree with those of the two numbers that there are?"""
    result = explore(program, "dpor", schedules=MOST)
    print(
        f"{name:16}{result.schedules:8}{result.pruned:9}  {result.exhausted!s:9}{printed or '-':>9}{counted or '-':>9}"
        f"{result.seconds:9.2f}{result.steps / result.seconds:10,.0f}",
        flush=True,
    )
    agreed = {result.schedules, printed or counted, counted or printed} == {result.schedules}
    return agreed and not result.pruned and result.exhausted


def main() -> int:
    """Print the table."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    print(
        f"{'program':16}{'DPOR':>8}{'cut off':>9}  exhausted{'printed':>9}{'counted':>9}{'seconds':>9}{'steps/s':>10}"
    )
    right = [
        row(f"{name}({threads})", MAKERS[name](threads), PRINTED.get((name, threads)), by_brute_force(name, threads))
        for name, sizes in SIZES.items()
        for threads in sizes
    ]
    right += [row(name, program, count, None) for name, (program, count) in LONGER.items()]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
