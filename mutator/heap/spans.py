"""Finds the span and the object that an address points into.  (Go: inheap, spanOf, heapBitsForObject, mbitmap.go.)

Theory of operation.  An address lies in a page, the page in a span, and in a span every object has the same size, so the
object is found by a division and an interior pointer costs no more than another.  Its byte and its mask follow from its
number.

A marker does this for every pointer, so an M remembers the facts of the spans it has met in `spanof`, a plain dict from
page to a tuple:

    start, limit, elemsize, nelems, objs, masks, maskwords        as in a span's record

They do not change while a span is in use, and between the end of one sweep and the beginning of the next no span is
freed: that is when the phase is not off, and then only is anything remembered.  Spans that begin to be used meanwhile are
simply not in the dict yet, which is why a page without a span is not remembered.

Guards.  `spanof` is good for one sweepgen.  Whoever begins to mark and reads it directly calls `refresh_spans` first.

Relied on.  A span's record is written before its state, and both are atomic there: whoever reads "in use" may read the
rest plainly.  An object's mask and words are written before its byte: whoever has loaded the byte may
read them plainly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import ALLOCATED, PointerTable
from mutator.heap.record import MHEAP, SPAN, SPAN_IN_USE
from mutator.phase import GCoff
from workbuf.local import Local
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mutator.world import World
    from workbuf.machine import Port

    SpanFacts = tuple[int, int, int, int, int, int, int]


class Spans(Local):
    """Lookups.  `span` is the cell of a span's record, `p` a byte address, `page` counts from the arena's start."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        heap = world.heap
        self.arena_start = heap.arena_start
        self.arena_end = heap.arena_end
        self.page_shift = heap.page_shift
        self.h_spans = heap.spans
        self.h_allspans = heap.allspans
        self.mheap = heap.mheap
        self.mstats = heap.mstats
        self.gcphase = world.gcphase
        self.spanof: dict[int, SpanFacts] = {}
        """Facts of the spans this M has met while marking, by page."""
        self.spanofgen = 0
        """The sweepgen that `spanof` is good for."""
        self.slots = PointerTable()
        self.pointers_of: Callable[[int], tuple[int, ...]] = self.slots.__getitem__
        """Numbers of the words whose bits are set in a mask word, ascending."""

    def inheap(self, p: int) -> bool:
        """Does `p` lie in a span that holds objects?"""
        facts = self.factsof(p)
        return facts is not None and p < facts[1]

    def spanOf(self, p: int) -> int:  # noqa: N802  Go's name
        """The span in use that holds `p`, 0 if none.  Looks at memory, not at `spanof`."""
        if not self.arena_start <= p < self.arena_end:
            return 0
        words = self.port.words
        span = self.port.hint(self.h_spans + (p - self.arena_start >> self.page_shift))
        # A free span's inner pages may still name a record that has moved on: hence the check of the range.
        if (
            span
            and self.port.load(span + SPAN.state) == SPAN_IN_USE
            and words[span + SPAN.start] <= p < words[span + SPAN.limit]
        ):
            return span
        return 0

    def spanfacts(self, page: int) -> SpanFacts | None:
        """Look up the span in use that holds the page, None if there is none, and remember it while that is sound."""
        words = self.port.words
        span = self.port.hint(self.h_spans + page)
        if span == 0 or self.port.load(span + SPAN.state) != SPAN_IN_USE:
            return None
        start = words[span + SPAN.start]
        if not 0 <= self.arena_start + (page << self.page_shift) - start < words[span + SPAN.npages] << self.page_shift:
            return None
        facts = (
            start,
            words[span + SPAN.limit],
            words[span + SPAN.elemsize],
            words[span + SPAN.nelems],
            words[span + SPAN.objs],
            words[span + SPAN.masks],
            words[span + SPAN.maskwords],
        )
        if words[self.gcphase] != GCoff:
            self.spanof[page] = facts
        return facts

    def factsof(self, p: int) -> SpanFacts | None:
        """The facts of the span in use whose pages hold `p`, remembered or looked up."""
        if not self.arena_start <= p < self.arena_end:
            return None
        self.refresh_spans()
        page = p - self.arena_start >> self.page_shift
        return self.spanof.get(page) or self.spanfacts(page)

    def refresh_spans(self) -> None:
        """Forget the spans of an earlier collection.  Plain: sweepgen changes only in the stopped world."""
        if self.port.words[self.mheap + MHEAP.sweepgen] != self.spanofgen:
            self.forget_spans()

    def forget_spans(self) -> None:
        """Drop what `spanof` remembers."""
        self.spanof.clear()
        self.spanofgen = self.port.words[self.mheap + MHEAP.sweepgen]

    def heapBitsForObject(self, p: int) -> tuple[int, int, int]:  # noqa: N802  Go's name
        """The object that `p` points at or into: its base, the byte address of its bits, and the bits now.

        All 0 if `p` does not point into a span's objects.  A slot that holds no object is found too, as in Go; its bits
        lack ALLOCATED.
        """
        facts = self.factsof(p)
        if facts is None or p >= facts[1]:
            return 0, 0, 0
        start, _, elemsize, _, objs, _, _ = facts
        index = (p - start) // elemsize
        hbits = objs + index
        return start + index * elemsize, hbits, self.bitsat(hbits)

    def bitsat(self, hbits: int) -> int:
        """The byte at byte address `hbits`; whoever sees ALLOCATED in it may read the object's mask and words plainly."""
        return self.port.load(hbits // WORD) >> hbits % WORD * 8 & 0xFF

    def masksof(self, p: int) -> tuple[int, list[int]]:
        """The base of the object at or around `p` and the words of its pointer mask; 0 and none if there is no object."""
        words = self.port.words
        facts = self.factsof(p)
        if facts is None or p >= facts[1]:
            return 0, []
        start, _, elemsize, _, objs, masks, n = facts
        index = (p - start) // elemsize
        # Atomic, because the object may be fresh from another M: its mask was stored before its byte.
        if not self.port.load((objs + index) // WORD) >> (objs + index) % WORD * 8 & ALLOCATED:
            return 0, []
        first = masks + index * n
        return start + index * elemsize, [words[at] for at in range(first, first + n)]

    def pointerslots(self, p: int) -> tuple[int, list[int]]:
        """The base of the object at or around `p` and the numbers of its pointer words; (0, []) if there is none."""
        base, cells = self.masksof(p)
        return base, [64 * at + i for at, cell in enumerate(cells) for i in self.pointers_of(cell)]

    def allspans(self) -> Iterator[int]:
        """The spans of the snapshot, in any state."""
        words = self.port.words
        for at in range(words[self.mheap + MHEAP.nsnapshot]):
            yield words[self.h_allspans + at]

    def snapshotspans(self) -> None:
        """Let a collection look at the spans there are now, and at no later ones.  The world is stopped."""
        words = self.port.words
        words[self.mheap + MHEAP.nsnapshot] = words[self.mheap + MHEAP.nspan]

    def sweepgen(self) -> int:
        """The heap's sweep generation.  Plain: it changes only in the stopped world."""
        return self.port.words[self.mheap + MHEAP.sweepgen]

    def isswept(self, span: int) -> bool:
        """Has the span been swept since the last collection?"""
        return self.port.hint(span + SPAN.sweepgen) == self.sweepgen()
