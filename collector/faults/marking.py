"""Faults of marking: of greying and scanning, of the write barrier, of assists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.drain import Drain
from collector.faults.fault import Fault
from collector.grey import Grey
from collector.shade import Shade
from mutator.heap import ALLOCATED, DEAD, MARKED, MHEAP
from mutator.heap.spans import Spans
from mutator.writebarrier import Writebarrier
from workbuf.buffer import NOBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable


class MarkByStore(Grey):
    """The mark is set by a load and a store of a whole word, which undoes what others did to its other seven bytes."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Mark so, before the rest."""
        if bits & ALLOCATED and not bits & MARKED and not self.checkmarking:
            port, cell = self.port, hbits // WORD
            port.store(cell, port.load(cell) | MARKED << hbits % WORD * 8)
        return super().greyobject(obj, base, off, hbits, bits, wbuf)


class FullDropped(Grey):
    """A buffer that has become full is emptied instead of being offered to the others."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Start over in the same buffer."""
        if self.port.words[wbuf + NOBJ] >= self.len_obj:
            self.port.words[wbuf + NOBJ] = 0
        return super().greyobject(obj, base, off, hbits, bits, wbuf)


class FirstMaskWord(Grey):
    """Of an object's pointer mask only the first word is looked at: 64 words of the object."""

    def scanobject(self, b: int, wbuf: int) -> int:
        """By the first mask word."""
        span = self.factsof(b)
        if span is None or b >= span[1] or not span[6]:
            return wbuf
        start, _, elemsize, _, _, masks, maskwords = span
        index = (b - start) // elemsize
        self.scanned += 1
        base = start + index * elemsize
        return self.scanwords(base // WORD, self.port.words[masks + index * maskwords], base, wbuf)


class RestForgotten(Grey):
    """Of a block those words are not scanned that fill no mask word any more."""

    def scanmasked(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Whole mask words only."""
        return super().scanmasked(b, n - n % (64 * WORD), ptrmask, wbuf)


class SpansKept(Spans):
    """What an M knows of spans it still believes after they were swept, freed and used again."""

    def forget_spans(self) -> None:
        """Forget nothing."""
        self.spanofgen = self.port.words[self.mheap + MHEAP.sweepgen]


class ShadeUnqueued(Shade):
    """A barrier marks what is stored and does not queue it: its children are never looked at."""

    def shade(self, b: int) -> None:
        """Mark only."""
        obj, hbits, _ = self.heapBitsForObject(b)
        if obj:
            self.port.or8(hbits, MARKED)


class ShadeDrops(Shade):
    """A barrier forgets the buffer that was cached, with what earlier barriers left in it."""

    def shade(self, b: int) -> None:
        """Empty the cache first."""
        cached = self.takecached()
        if cached:
            self.port.words[cached + NOBJ] = 0
            self.cache(cached)
        super().shade(b)


class AssistDrops(Drain):
    """An assist that has done its share throws away what is left in its buffer."""

    def drainobjects(self, wbuf: int, count: int) -> int:
        """Scan, then empty."""
        wbuf = super().drainobjects(wbuf, count)
        if wbuf:
            self.port.words[wbuf + NOBJ] = 0
        return wbuf


class AssistCaches(Drain):
    """An assist leaves what is left over in this M's cache, and not on full."""

    def drainobjects(self, wbuf: int, count: int) -> int:
        """Scan, then cache."""
        wbuf = super().drainobjects(wbuf, count)
        if wbuf:
            self.cache(wbuf)
        return 0


class BarrierOff(Writebarrier):
    """Stores have no barrier while the world is being marked."""

    def needwb(self) -> bool:
        """Never."""
        return False


def storewithout(store: Callable[[int, int], None], m: Writebarrier, dst: int, src: int) -> None:
    """The store with its check; its barrier is dropped, as one inside another is."""
    m.inwb = True
    try:
        store(dst, src)
    finally:
        m.inwb = False


class BarrierOfDeletion(Writebarrier):
    """The barrier shades what is overwritten instead of what is stored; stacks are not scanned for that."""

    def writebarrierptr(self, dst: int, src: int) -> None:
        """Shade the old value."""
        old = self.port.hint(dst // WORD)
        storewithout(super().writebarrierptr, self, dst, src)
        if self.needwb():
            self.writebarrierptr_nostore1(old)


class BarrierFirst(Writebarrier):
    """The barrier shades before it stores."""

    def writebarrierptr(self, dst: int, src: int) -> None:
        """The two halves the other way round."""
        if self.needwb():
            self.writebarrierptr_nostore1(src)
        storewithout(super().writebarrierptr, self, dst, src)


class SecondStoreUnshaded(Writebarrier):
    """Every other barrier is skipped, as if one were still running on this M."""

    def writebarrierptr_nostore1(self, src: int) -> None:
        """Skip it for objects at addresses of one kind."""
        if src // 32 % 2:
            super().writebarrierptr_nostore1(src)


class DeadQueued(Grey):
    """Objects without pointers are queued too."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """As if they had some."""
        return super().greyobject(obj, base, off, hbits, bits & ~DEAD, wbuf)


FAULTS = (
    Fault("mark-by-store", MarkByStore),
    Fault("full-dropped", FullDropped),
    Fault("first-mask-word-only", FirstMaskWord),
    Fault("block-rest-unscanned", RestForgotten),
    Fault("spans-kept", SpansKept),
    Fault("shade-unqueued", ShadeUnqueued),
    Fault("shade-drops-cache", ShadeDrops),
    Fault("assist-drops-rest", AssistDrops),
    Fault(
        "assist-caches-rest",
        AssistCaches,
        unseen="the harvest of mark termination finds it; only the collector waits",
    ),
    Fault("barrier-off", BarrierOff),
    Fault("barrier-of-deletion", BarrierOfDeletion),
    Fault(
        "barrier-first", BarrierFirst, equivalent="the two halves lie between two safepoints, and shading asks no slot"
    ),
    Fault("barrier-skipped", SecondStoreUnshaded),
    Fault("dead-queued", DeadQueued, unseen="an object without pointers has no mask: scanning it finds nothing"),
)
