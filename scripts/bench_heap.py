"""Load, collect and verify synthetic heaps of growing size: bytes an object beyond its own words, seconds per 100,000.

    python scripts/bench_heap.py [--sizes 10000,100000,1000000] [--helpers 2] [--repeat 3]

Bytes: everything the model keeps for the objects but their own words (size class waste, object bytes, masks, span records,
the page table, the column of addresses), divided by the objects.  Seconds: wall clock of the fastest of `repeat` runs; the
ratio of the largest per-object time to the smallest is what counts, the seconds are this machine's.
"""

from __future__ import annotations

import argparse
import sys

from collector import heaps
from collector.heaps.oracle import differences, reach
from collector.keep import Keep
from collector.runtime import Config
from collector.stress import Plan
from mutator.heap import MHEAP, SPAN, SPAN_IN_USE
from workbuf.machine import WORD


PER = 100_000


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


def once(n: int, helpers: int) -> tuple[float, float, float]:
    """One heap of `n` objects: overhead in bytes an object, seconds to load, seconds to mark."""
    graph = heaps.read(f"synthetic:random,n={n},m={2 * n},seed=1")
    words = sum((size + WORD - 1) // WORD for size in graph.size)
    plan = Plan(config=Config(mutators=0, helpers=helpers), programs=(), cycles=1, concurrent=False, patience=600.0)
    run = Keep(plan, graph)
    extra = overhead(run, words) / n + WORD
    kept = run.result(graph)
    wrong = len(differences(reach(graph), kept.marks))
    if wrong:
        sys.exit(f"{n} objects: {wrong} marks differ from the traversal of the graph")
    return extra, kept.load_s, kept.mark_s


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--helpers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    loads, marks = [], []
    print("  objects  bytes/object beyond words  load s/100k  mark s/100k")
    for n in map(int, args.sizes.split(",")):
        runs = [once(n, args.helpers) for _ in range(args.repeat)]
        extra = runs[0][0]
        load, mark = (min(run[i] for run in runs) * PER / n for i in (1, 2))
        loads.append(load)
        marks.append(mark)
        print(f"{n:9}  {extra:25.1f}  {load:11.2f}  {mark:11.2f}")
    print(f"largest to smallest: load {max(loads) / min(loads):.2f}, mark {max(marks) / min(marks):.2f}")
    sys.setswitchinterval(interval)


if __name__ == "__main__":
    main()
