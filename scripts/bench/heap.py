"""Cost per object when the heap grows: a mark over a plain marker of the same memory, bytes beyond the words."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from collector import heaps
from mutator.heap import MHEAP, SPAN, SPAN_IN_USE
from scripts.bench.marking import marking
from scripts.bench.rows import Row
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.stress.run import Stress

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LARGEST = 1_000_000
"""Objects up to which it goes unless told otherwise: ten million take minutes and 3 GB."""
MOST_BYTES = 24


def rows(rounds: int, largest: int = LARGEST) -> Iterator[Row]:
    """Random heaps, two slots an object."""
    first, cost = 0.0, 0.0
    for n in SIZES:
        if n > largest:
            return
        graph = heaps.read(f"synthetic:random,n={n},m={2 * n},seed=1")
        words = sum((size + WORD - 1) // WORD for size in graph.size)
        some = []
        began = process_time()
        for _ in range(max(1, min(rounds, 3 * LARGEST // n))):
            run, made = marking(graph)
            some.append(made)
            beyond = overhead(run, words) / n
        whole = (process_time() - began) / len(some) / n * 1e6
        ratios = [one.own / one.plain for one in some]
        each = min(one.own / sum(one.scanned) for one in some) * 1e6
        first, cost = first or median(ratios), cost or each
        note = (
            f"{each / cost:.2f} of the smallest's, {median(ratios) / first:.2f} in ratio;"
            f" {whole:.0f} us with loading, two audits and sweeps"
        )
        yield Row(f"a mark, {n:,} objects", "a plain marker, same memory", ratios, each, "us/object", 2.0, note=note)
        over = f"{MOST_BYTES} bytes beyond its words"
        yield Row(f"bytes an object, {n:,}", over, [beyond / MOST_BYTES], beyond, "bytes", 1.0, clock="count")


def overhead(run: Stress, words: int) -> int:
    """Bytes that the heap takes beyond `words` words of objects: waste of size classes, bits, masks, span records."""
    peek, heap = run.machine.peek, run.world.heap
    total = 0
    for i in range(peek(heap.mheap + MHEAP.nspan)):
        span = peek(heap.allspans + i)
        total += SPAN.size * WORD + WORD
        if peek(span + SPAN.state) == SPAN_IN_USE:
            npages = peek(span + SPAN.npages)
            total += npages * ((1 << heap.page_shift) + WORD) + peek(span + SPAN.metawords) * WORD
    return total - words * WORD
