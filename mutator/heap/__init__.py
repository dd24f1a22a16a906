"""The object heap: spans of objects of one size, mark bits and pointer masks, allocation, finalizers, sweep.

The heap is a record of addresses (`Heap`, record.py) and classes, a file each; an M inherits the topmost one,
`HeapLocal`:

    Spans      from an address to an object              Central    spans between mcaches and the page heap
    Pages      the page heap, records and metadata       Sweep      freeing what a collection has not marked
    Specials   finalizers and their queue                Malloc     mcaches and mallocgc

`load.place` fills a heap in bulk before threads run; `audit.audit` checks its consistency.

Not modelled: tiny allocation (several small objects in one slot), fixed-size caches per P beyond the mcache, profiling.
"""

from __future__ import annotations

from mutator.heap.bits import ALLOCATED, CHECKMARKED, DEAD, MARKED, POISON
from mutator.heap.load import place
from mutator.heap.malloc import Malloc as HeapLocal
from mutator.heap.record import (
    FIN,
    FINALIZER,
    FINBLOCK,
    MHEAP,
    MSTATS,
    SPAN,
    SPAN_DEAD,
    SPAN_FREE,
    SPAN_IN_USE,
    SPAN_STACK,
    SPECIAL,
    Heap,
)


__all__ = [
    "ALLOCATED",
    "CHECKMARKED",
    "DEAD",
    "FIN",
    "FINALIZER",
    "FINBLOCK",
    "MARKED",
    "MHEAP",
    "MSTATS",
    "POISON",
    "SPAN",
    "SPAN_DEAD",
    "SPAN_FREE",
    "SPAN_IN_USE",
    "SPAN_STACK",
    "SPECIAL",
    "Heap",
    "HeapLocal",
    "place",
]
