"""How well searches and campaigns are shared: measured on two processes, simulated on more.

    python -m scripts.bench_campaign [--seconds 20] [--rounds 3] [--results FILE] [--json FILE]

Two processes that share one search, against two that search by themselves at the same time: executions a second, in turn, so
that whatever else the machine does is in both; what it costs to begin two processes is measured by itself, and subtracted.
The same per second of the processor, which a busy machine spoils less.  DPOR comes to its end, whatever `--seconds` says: in
so many seconds two would see another part of the tree than one does, and executions do not cost the same everywhere.  Then
what a task costs, of a pool and of Dask; and, simulated with that cost and the task times of a campaign (`--results`) or of
one second each, the share of 64 and of 1,000 workers' time that is work, and the shortest task for which that is 0.9.
"""

from __future__ import annotations

import argparse
import json
import logging
import sqlite3
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from heapq import heapreplace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING, NamedTuple

from collector.campaign import split, traces
from collector.campaign.cluster import SETTINGS
from collector.campaign.part import Question
from collector.campaign.pool import CONTEXT, begin
from collector.campaign.split import Split
from collector.explore.strategies.dpor import search
from collector.scenarios.registry import SCENARIOS
from scripts.proof import program
from tests.collector.explore.authors import lastzero, readers


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.program import Program

MANY = 1 << 60
"""Executions: a search is not done when its time is over."""
FIRST = 100
"""Executions of the first part, before which there is nothing to share."""
TASKS = 500
"""Empty ones, of which the cost is measured."""
NAP = 0.5
"""Seconds."""
WANTED = 0.9


def scenario(name: str, variant: str) -> Program:
    """A program of the catalogue."""
    return SCENARIOS[name].variants[variant].program


SEARCHES = {
    "dpor, two threads that store": Question(partial(program, (10, 9)), "dpor", MANY),
    "dpor, the last zero": Question(partial(lastzero, 13), "dpor", MANY),
    "dpor, readers": Question(partial(readers, 15), "dpor", MANY),
    "urw, latedecrement fixed3": Question(partial(scenario, "latedecrement", "fixed3"), "urw", MANY),
    "dfs, latedecrement fixed3": Question(partial(scenario, "latedecrement", "fixed3"), "dfs", MANY),
}
"""Of DPOR each takes one process some half a minute: in a short search the end weighs, when one has nothing left to do.  The
second has subtrees of all sizes; in the third each is a single execution, which is the worst case."""


class Rate(NamedTuple):
    """Executions, also of those that were cut off, in so many seconds, and in so many of the processor."""

    executions: int
    seconds: float
    processor: float


def processor() -> float:
    """Of this process, and of its children that have ended."""
    return sum(sum(getrusage(who)[:2]) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))


def alone(question: Question, seconds: float | None) -> Rate:
    """A search by one process, in so many seconds or to its end."""
    vars(search)["PLAIN"] = FIRST
    begun = processor()
    result = question.explore(question.load(), seconds)
    return Rate(result.schedules + result.pruned, result.seconds, processor() - begun)


def together(question: Question, seconds: float | None) -> Rate:
    """Two that share a search."""
    split.ALONE = 0.0
    vars(traces)["PLAIN"] = FIRST
    begun, used = perf_counter(), processor()
    result = Split(question, 2).run(seconds)
    return Rate(result.schedules + result.pruned, perf_counter() - begun, processor() - used)


def started(question: Question) -> Rate:
    """Two processes that begin, and do nothing."""
    begun, used = perf_counter(), processor()
    with ProcessPoolExecutor(2, CONTEXT, begin, (question, *[CONTEXT.RawValue("b", 0)] * 2)) as pool:
        list(pool.map(sleep, [NAP, NAP]))  # while one sleeps the other one begins
    return Rate(0, perf_counter() - begun - NAP, processor() - used)


def compared(pool: ProcessPoolExecutor, question: Question, seconds: float) -> tuple[float, float]:
    """The efficiency of two that share a search, from when they have begun: by the clock, and by processor time."""
    limit = None if question.strategy == "dpor" else seconds
    start, shared = started(question), together(question, limit)
    shared = Rate(shared.executions, shared.seconds - start.seconds, shared.processor - start.processor)
    apart = list(pool.map(alone, [question] * 2, [limit] * 2))
    if limit is None and {each.executions for each in apart} != {shared.executions}:
        raise RuntimeError(f"{shared.executions} executions by two, and {apart[0].executions} by one")
    clock = shared.executions / shared.seconds / sum(each.executions / each.seconds for each in apart)
    per = shared.executions / shared.processor * sum(each.processor for each in apart)
    return clock, per / sum(each.executions for each in apart)


def nothing(_: int) -> None:
    """A task that costs only what tasks cost."""


def pool_cost() -> float:
    """Seconds of an empty task of a pool of two."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(nothing, range(20)))
        begun = perf_counter()
        for future in [pool.submit(nothing, i) for i in range(TASKS)]:
            future.result()
        return (perf_counter() - begun) / TASKS


def dask_cost() -> float:
    """The same of Dask."""
    import dask  # noqa: PLC0415  an extra
    import distributed  # noqa: PLC0415

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # of workers that miss their scheduler at the end
    with (
        dask.config.set(SETTINGS),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        client.gather(client.map(nothing, range(20), pure=False))
        begun = perf_counter()
        client.gather(client.map(nothing, range(TASKS), pure=False))
        return (perf_counter() - begun) / TASKS


def efficiency(times: Sequence[float], workers: int, cost: float) -> float:
    """The share of the workers' time that is work, if each task is handed out by one scheduler that it costs so much."""
    free = [0.0] * workers
    scheduler = 0.0
    for time in times:
        scheduler = max(scheduler, free[0]) + cost
        heapreplace(free, scheduler + time)
    return sum(times) / (workers * max(free))


def shortest(workers: int, cost: float) -> float:
    """The shortest task, in seconds, for which that share is WANTED: many of them for each worker."""
    low, high = 0.0, 1e4
    while high - low > 0.001 * high:
        middle = (low + high) / 2
        if efficiency([middle] * (50 * workers), workers, cost) < WANTED:
            low = middle
        else:
            high = middle
    return high


def measured(path: str) -> list[float]:
    """Seconds of the tasks of a campaign."""
    with closing(sqlite3.connect(Path(path))) as db:
        return [
            seconds for (seconds,) in db.execute("SELECT seconds FROM tasks WHERE verdict IS NOT NULL AND seconds > 0")
        ]


def main() -> int:
    """Measure, simulate, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each search (20)")
    parser.add_argument("--rounds", type=int, default=3, help="of both (3)")
    parser.add_argument("--results", default="", help="a campaign's, for the times of its tasks")
    parser.add_argument("--json", default="", help="write the figures")
    args = parser.parse_args()
    ratios = {}
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(nothing, range(20)))
        for name, question in SEARCHES.items():
            found = [compared(pool, question, args.seconds) for _ in range(args.rounds)]
            clock, per = ratios[name] = [median(each) for each in zip(*found, strict=True)]
            print(
                f"efficiency on two processes, {name}: {clock:.2f} by the clock, {per:.2f} by processor time",
                flush=True,
            )
    costs = {"pool": pool_cost(), **({"dask": dask_cost()} if find_spec("distributed") else {})}
    times = measured(args.results) if args.results else [1.0] * 100
    mean = sum(times) / len(times)
    simulated = []
    for name, cost in costs.items():
        print(f"{name}: {cost * 1e3:.2f} ms a task")
        for workers in (2, 64, 1000):
            share = efficiency(times * -(-50 * workers // len(times)), workers, cost)
            least = shortest(workers, cost)
            simulated.append({"by": name, "workers": workers, "efficiency": share, "shortest_s": least})
            print(f"  {workers:5} workers, tasks of {mean:.2f} s: {share:.2f}; {WANTED} from {least:.2f} s a task on")
    if args.json:
        figures = {"ratios": ratios, "cost_s": costs, "mean_task_s": mean, "simulated": simulated}
        Path(args.json).write_text(json.dumps(figures, indent=2), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
