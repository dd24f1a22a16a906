"""Measures memory and time per object: loads, collects and verifies synthetic heaps of growing size.

    python -m scripts.bench_heap [--sizes 10000,100000,1000000] [--helpers 2] [--repeat 3]

Bytes `counted`: what the model keeps for the objects but their own words (size class waste, object bytes, masks, span
records, the page table, the column of addresses), divided by the objects.  Bytes `measured`: by how much the process has
grown when the heap has been loaded and collected, buffers, stacks and threads included, less the objects' own words.

Seconds: wall clock per 100,000 objects, the fastest of several runs (of more where they are short).  `mark` is the first
mark, `verify` the comparison with the traversal of the graph, `all` loading, two collections with audits and sweep, and
verifying; `cpu` is the same in processor time, which a busy machine disturbs less.  The ratio of the largest to the
smallest is what counts, the seconds are this machine's.

`helped`: the share of the objects that helpers scanned in the first marks.  A run to which not all of them came fails.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
from pathlib import Path
from time import monotonic, process_time
from typing import NamedTuple

from collector import heaps
from collector.heaps.oracle import differences, reach
from collector.runtime import Config
from collector.stress.run import Plan
from collector.stress.survivors import Keep
from mutator.heap import MHEAP, SPAN, SPAN_IN_USE
from workbuf.machine import WORD


PER = 100_000


class Figures(NamedTuple):
    """Bytes an object; seconds; and the objects scanned by helpers, and by all markers, in the first mark."""

    counted: float
    measured: float
    load: float
    mark: float
    verify: float
    all: float
    cpu: float
    helped: int
    scanned: int


def overhead(run: Keep, words: int) -> int:
    """Bytes that the heap takes beyond `words` words of objects."""
    peek, heap = run.machine.peek, run.world.heap
    total = 0
    for i in range(peek(heap.mheap + MHEAP.nspan)):
        span = peek(heap.allspans + i)
        total += SPAN.size * WORD + WORD
        if peek(span + SPAN.state) == SPAN_IN_USE:
            npages = peek(span + SPAN.npages)
            total += npages * ((1 << heap.page_shift) + WORD) + peek(span + SPAN.metawords) * WORD
    return total - words * WORD


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def once(n: int, helpers: int) -> Figures:
    """One heap of `n` objects with 2 n edges."""
    graph = heaps.read(f"synthetic:random,n={n},m={2 * n},seed=1")
    words = sum((size + WORD - 1) // WORD for size in graph.size)
    plan = Plan(config=Config(mutators=0, helpers=helpers), programs=(), cycles=1, concurrent=False, patience=600.0)
    gc.collect()
    before, began, cpu = resident(), monotonic(), process_time()
    run = Keep(plan, graph)
    counted = overhead(run, words) / n + WORD
    kept = run.result(graph)
    measured = (resident() - before) / n - words * WORD / n
    marked = monotonic()
    wrong = len(differences(reach(graph), kept.marks))
    end = monotonic()
    if wrong or kept.violation:
        sys.exit(f"{n} objects: {wrong} marks differ from the traversal of the graph {kept.violation}")
    seconds = (kept.load_s, kept.mark_s, end - marked, end - began, process_time() - cpu)
    scanned = kept.cycles[0].scanned
    return Figures(counted, measured, *seconds, sum(scanned[1:]), sum(scanned))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--helpers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    sys.setswitchinterval(1e-4)
    names = ("load", "mark", "verify", "all", "cpu")
    fastest = []
    print("           bytes an object beyond words     seconds per 100,000 objects")
    print("  objects      counted     measured    " + "".join(f"{name:>10}" for name in names) + "    helped")
    for n in map(int, args.sizes.split(",")):
        runs = [once(n, args.helpers) for _ in range(max(args.repeat, 200_000 // n))]
        best = [min(getattr(run, name) for run in runs) * PER / n for name in names]
        fastest.append(best)
        figures = f"{n:9}{runs[0].counted:13.1f}{runs[0].measured:13.1f}    "
        helped = 100 * sum(run.helped for run in runs) / max(sum(run.scanned for run in runs), 1)
        print(figures + "".join(f"{seconds:10.3f}" for seconds in best) + f"{helped:8.0f} %", flush=True)
    ratios = [max(column) / min(column) for column in zip(*fastest, strict=True)]
    print("largest to smallest:" + " " * 19 + "".join(f"{ratio:10.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
