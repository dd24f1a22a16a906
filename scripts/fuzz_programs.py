"""Fuzzes the explorer: depth-first search, DPOR with and without idle turns, and stateful search must agree.

    python -m scripts.fuzz_programs [--seconds 20] [--seed 1] [--vocabulary pauses]

For each vocabulary of `arbitrary` and for so many seconds.  Prints how many programs were compared and how
many schedules and traces that were, passes over programs with more than 20,000 schedules, and prints every program on
which they differ; exit status 1 if there is one.  See `tests.collector.explore.compare` for what is compared.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.collector.explore.arbitrary import MINDS, VOCABULARIES, program_of, shape
from tests.collector.explore.compare import compare_cutting, compare_dpor, compare_stateful
from tests.collector.explore.traces import TooMany, executions


ALL = {**VOCABULARIES, **MINDS}


def main() -> int:
    """Compare, and print a line for each vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each vocabulary (default 20)")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 1_000_000, help="of the first program (default: drawn)"
    )
    parser.add_argument("--vocabulary", choices=ALL, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    findings = 0
    for name in arguments.vocabulary or ALL:
        seed = arguments.seed
        until = time.monotonic() + arguments.seconds
        compared = passed_over = schedules = traces = 0
        while time.monotonic() < until:
            seed += 1
            form = shape(seed, ALL[name].split())
            program = program_of(form)
            try:
                plain = list(executions(program, "dfs"))
                # Of objects that threads share DPOR knows nothing.
                reduced = [] if name == "shared" else compare_dpor(program, plain)
                if name != "shared":
                    compare_cutting(program, plain)
                compare_stateful(program, plain)
            except TooMany:
                passed_over += 1
                continue
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                findings += 1
                print(f"{name}, seed {seed}: {type(error).__name__} {error}\n    {form}", flush=True)
                continue
            compared += 1
            schedules += len(plain)
            traces += len(reduced)
        print(
            f"{name:20} {compared:7} programs  {schedules:9} schedules  {traces:8} traces  {passed_over:4} passed over",
            flush=True,
        )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
