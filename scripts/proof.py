"""Proves a program of a million executions by DPOR over several processes, and compares with the number that it has to be.

    nice python -m scripts.proof --checkpoint FILE [--stores 13 10] [--jobs 2] [--seconds S]

Threads store to one word, each so many times.  No two orders of the stores are equivalent, so there are as many executions
as there are such orders, a multinomial coefficient: 23! / (13! 10!) = 1,144,066 if nothing else is asked for.  Killed, or
when its time is over, the same command goes on from the checkpoint.  Exit status 0: proved, with that number, none pruned.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from functools import partial
from math import factorial, prod
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from collector.campaign.checkpoint import Checkpoint
from collector.campaign.part import Question
from collector.campaign.split import Split
from collector.explore.claim import Kind


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore import Result, SteppedMachine
    from workbuf.machine import Port

SHOW = 20.0
"""Seconds between two lines."""


def storing(stores: Sequence[int], machine: SteppedMachine) -> None:
    """The program."""
    word = machine.word(0, "x")

    def stored(port: Port, thread: int, times: int) -> None:
        for number in range(times):
            port.store(word, 100 * thread + number)

    for thread, times in enumerate(stores):
        machine.spawn(partial(stored, thread=thread, times=times))


def orders(stores: Sequence[int]) -> int:
    """How many there are."""
    return factorial(sum(stores)) // prod(map(factorial, stores))


def program(stores: Sequence[int]) -> partial[None]:
    """The program, in any process."""
    return partial(storing, stores)


def proved(stores: Sequence[int], jobs: int, file: str, seconds: float | None) -> Result:
    """What the search shows; it goes on from the file."""
    search = Split(Question(partial(program, tuple(stores)), "dpor", 1 << 60), jobs)
    shown = perf_counter()

    def show(so_far: Result) -> None:
        nonlocal shown
        if perf_counter() - shown > SHOW:
            shown = perf_counter()
            print(f"{so_far.schedules:,} in {so_far.seconds:.0f} s; {so_far.outlook}", flush=True)

    with closing(Checkpoint(file, {"stores": list(stores)})) as checkpoint:
        if checkpoint.restore(search):
            print(f"going on from {search.result.schedules:,} executions, {search.result.seconds:.0f} s")
        search.saved = checkpoint.save
        result = search.run(seconds, show)
        checkpoint.save(search, now=True)
    return result


def main() -> int:
    """Prove, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checkpoint", required=True, metavar="FILE", help="where it goes on from")
    parser.add_argument("--stores", type=int, nargs="+", default=[13, 10], metavar="N", help="of each thread (13 10)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--seconds", type=float, default=None, help="at most, of this run")
    args = parser.parse_args()
    expected = orders(args.stores)
    result = proved(args.stores, args.jobs, args.checkpoint, args.seconds)
    print(f"{result.schedules:,} executions of {expected:,}, {result.pruned} pruned, in {result.seconds:.0f} s")
    print(f"of this run: {process_time():.0f} s of the processor for the process that hands parts out")
    print(result.claim)
    whole = result.claim.kind is Kind.PROVED and (result.claim.number, result.pruned) == (expected, 0)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
