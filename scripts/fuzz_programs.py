"""Fuzzes the explorer's verdicts with arbitrary programs, of which it is known what may be said.

    python -m scripts.fuzz_programs [--programs 2000] [--most 2000] [--seed 1] [--vocabulary pauses]
    python -m scripts.fuzz_programs --vocabulary objects --programs 1 --seed N      # the one program of that seed again

So many programs in all: of the vocabularies of `arbitrary` depth-first search, DPOR with and without idle turns, DPOR under
a bound and state search must agree (`tests.collector.explore.compare`); of "mistakes" each strategy must tell which one was
made, at its line; of "differences" none may say proved, or failed.  These two are the quicker ones, and so the most.  The
threads of "objects" share Python objects of all kinds: nobody may claim that an outcome does not occur which plain
depth-first search has seen.

Prints, of each vocabulary, how many programs were run and how many explorations or schedules that was; passes over programs
with more than `--most` schedules, and counts those; prints every program that is misjudged.  Exit status 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from collector.explore import explore
from tests.collector.explore import differing, mistakes, sharers
from tests.collector.explore.arbitrary import MINDS, VOCABULARIES, program_of, shape
from tests.collector.explore.compare import (
    compare_bounded,
    compare_cutting,
    compare_dpor,
    compare_sharing,
    compare_stateful,
)
from tests.collector.explore.traces import TooMany, executions


if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str, int, int], int]
    """Runs a program: of that vocabulary, seed, and most schedules; how many were run.  Raises TooMany, AssertionError."""

STRATEGIES = ("portfolio", "dpor", "stateful", "exhaustive")
SAMPLERS = ("random", "urw", "pct", "pos", "surw")
SHARE = 0.4
"""Of all programs, those with mistakes, and as many with differences."""
RARELY = 100
"""Only one in so many of those mistakes that it takes a second to notice is made."""


def compared(vocabulary: str, seed: int, most: int) -> int:
    """Searches agree."""
    words = {**VOCABULARIES, **MINDS}[vocabulary].split()
    program = program_of(shape(seed, words))
    early = seed % 2 if "pause" in words else 0
    plain = list(executions(program, "dfs", most, early))
    if vocabulary == "shared":
        compare_sharing(program, plain)
        compare_bounded(program, most)
    else:
        compare_dpor(program, plain, early)
        compare_cutting(program, plain, early)
        compare_bounded(program, most, early=early)
    compare_stateful(program, plain, 4 * most, early)
    return len(plain)


def mistaken(_vocabulary: str, seed: int, most: int) -> int:
    """A mistake is told."""
    names = [name for name in mistakes.NAMES if name not in mistakes.HANGING or seed % RARELY == 0]
    mistake = mistakes.mistaken(names[seed % len(names)] if seed % RARELY else names[-1 - seed // RARELY % 2], seed)
    hangs = mistake.expected.hangs
    strategies = (STRATEGIES[seed // RARELY % 4],) if hangs else (*STRATEGIES, SAMPLERS[seed % len(SAMPLERS)])
    for strategy in strategies:
        seconds = 0.2 if hangs else None
        result = explore(mistake.program, strategy, schedules=most, seconds=seconds, shrink=False)
        wrong = mistakes.misjudged(mistake.expected, result)
        assert not wrong, f"{mistake.name}, {strategy}: {wrong}"
    return len(strategies)


def differs(_vocabulary: str, seed: int, most: int) -> int:
    """A program that is not the same every time is not called proved."""
    sources = [*differing.SOURCES]
    program = differing.differing(sources[seed % len(sources)], seed)
    strategies = (*STRATEGIES, SAMPLERS[seed % len(SAMPLERS)])
    for strategy in strategies:
        result = explore(program.program, strategy, schedules=min(most, 300), shrink=False)
        wrong = differing.misjudged(program, result)
        assert not wrong, f"{strategy}: {wrong}"
    return len(strategies)


def shared(_vocabulary: str, seed: int, most: int) -> int:
    """Nobody claims too much of programs whose threads share objects."""
    wrong, runs = sharers.judged(seed, most)
    assert not wrong, wrong
    return runs


ALL: dict[str, Run] = {
    **dict.fromkeys((*VOCABULARIES, *MINDS), compared),
    "mistakes": mistaken,
    "differences": differs,
    "objects": shared,
}


def main() -> int:
    """Run them, and print a line for each vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=2_000, help="in all (default 2000)")
    parser.add_argument("--most", type=int, default=2_000, help="schedules of one program (default 2000)")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 1_000_000, help="of the first program (default: drawn)"
    )
    parser.add_argument(
        "--vocabulary", choices=ALL, action="append", metavar="NAME", help="only this one; may be repeated"
    )
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, Python {sys.version}")
    wrong = total = 0
    each = (1 - 2 * SHARE) / (len(ALL) - 2)
    shares = {name: SHARE if ALL[name] in {mistaken, differs} else each for name in ALL}
    chosen = arguments.vocabulary or [*ALL]
    for name in chosen:
        programs = round(arguments.programs * shares[name] / sum(shares[each] for each in chosen))
        begun = time.monotonic()
        ran = passed_over = schedules = misjudged = 0
        for seed in range(arguments.seed, arguments.seed + programs):
            try:
                schedules += ALL[name](name, seed, arguments.most)
            except TooMany:
                passed_over += 1
                continue
            except Exception as error:  # noqa: BLE001  an error of the explorer's is a finding, too
                misjudged += 1
                print(f"{name}, seed {seed}: {type(error).__name__} {error}", flush=True)
            ran += 1
        took = time.monotonic() - begun
        print(
            f"{name:28}{ran:7} programs {schedules:9} runs {passed_over:5} passed over {misjudged:3} wrong {took:6.0f} s",
            flush=True,
        )
        total += ran
        wrong += misjudged
    print(f"{total} programs, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
