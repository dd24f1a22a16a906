"""Faults of allocation, of the sweep and of finalizers."""

from __future__ import annotations

from collector.faults.fault import Fault
from mutator.heap import ALLOCATED, FIN, FINBLOCK, MHEAP, SPAN, HeapLocal
from mutator.heap.bits import BYTES, DEAD, MARKED
from workbuf.machine import WORD


class BlackAllocationOff(HeapLocal):
    """What is allocated while mark termination runs is born white, and nobody looks for it any more."""

    def gcmarknewobject(self, hbits: int) -> None:
        """Nothing."""


class PublishedDirty(HeapLocal):
    """An object is published before its words are zeroed: a marker meets poison, or what the slot's last object held."""

    def publish(self, span: int, index: int, mask: int) -> int:
        """Bit first, zeroes afterwards."""
        port, words = self.port, self.port.words
        dirty, words[span + SPAN.needzero] = words[span + SPAN.needzero], 0
        p = super().publish(span, index, mask)
        words[span + SPAN.needzero] = dirty
        if dirty:
            elemsize = words[span + SPAN.elemsize]
            port.fill(p // WORD, (min(p + elemsize, words[span + SPAN.limit]) - p) // WORD, 0)
        return p


class Unzeroed(HeapLocal):
    """A reused slot is not zeroed at all."""

    def publish(self, span: int, index: int, mask: int) -> int:
        """Without the zeroes."""
        self.port.words[span + SPAN.needzero] = 0
        return super().publish(span, index, mask)


class MarksKept(HeapLocal):
    """The sweep leaves the marks of what it keeps: the next mark takes it for scanned."""

    def sweepbits(self, span: int) -> int:
        """Sweep, then mark again."""
        freed = super().sweepbits(span)
        words = self.port.words
        cells = words[span + SPAN.objs] // WORD
        for at in range(cells, cells - -words[span + SPAN.nelems] // WORD):
            words[at] |= (words[at] & BYTES * ALLOCATED) * MARKED
        return freed


class SweepsTwice(HeapLocal):
    """A sweeper takes a span without a swap, so two may sweep it at once."""

    def _acquire(self, span: int, unswept: int) -> bool:
        """Two steps where one is needed."""
        port, at = self.port, span + SPAN.sweepgen
        if port.load(at) != unswept:
            return False
        port.store(at, unswept + 1)
        return True


class SweptEarly(HeapLocal):
    """A span counts as swept before it is relisted, so that an M takes it while it is on its way."""

    def mcentral_freespan(self, span: int, *, wasfull: bool, preserve: bool) -> bool:
        """Store the sweepgen first."""
        self.port.store(span + SPAN.sweepgen, self.sweepgen())
        return super().mcentral_freespan(span, wasfull=wasfull, preserve=preserve)


class FinalizedFreed(HeapLocal):
    """The sweep queues the finalizer of a dead object and frees the object."""

    def queuefinalizer(self, arg: int, fn: int) -> None:
        """Take back the mark by which the object was to be kept."""
        hbits = self.heapBitsForObject(arg)[1]
        self.port.post(hbits // WORD, self.port.words[hbits // WORD] & ~(MARKED << hbits % WORD * 8))
        super().queuefinalizer(arg, fn)


class FinalizerLost(HeapLocal):
    """The sweep drops the finalizer of a dead object with the object."""

    def _hasfinalizer(self, special: int, end: int) -> bool:  # noqa: ARG002
        """As if it had none."""
        return False


class CountFirst(HeapLocal):
    """The finalizer queue counts an entry before it is there."""

    def queuefinalizer(self, arg: int, fn: int) -> None:
        """Count, then store."""
        port, words = self.port, self.port.words
        port.lock(self.finlock)
        block = self.finblock()
        cnt = words[block + FINBLOCK.cnt]
        port.post(block + FINBLOCK.cnt, cnt + 1)
        entry = self._entry(block, cnt)
        port.post(entry + FIN.fn, fn)
        port.post(entry + FIN.arg, arg)
        port.post(self.mheap + MHEAP.fingwake, 1)
        port.unlock(self.finlock)


class SlotTakenTwice(HeapLocal):
    """Allocation does not move on: the next object gets the slot of the last one where that is still free to see."""

    def nextfree(self, span: int) -> int:
        """Of every eighth slot the one before it, by the bits as they were a while ago."""
        index = super().nextfree(span)
        if index % 8 == 7:
            return index - 1
        return index


class MaskForgotten(HeapLocal):
    """An object's pointer mask is not stored: it keeps that of the slot's last object."""

    def storemask(self, span: int, index: int, mask: int) -> int:
        """Only where there is none yet."""
        words = self.port.words
        masks, n = words[span + SPAN.masks], words[span + SPAN.maskwords]
        if masks and any(words[masks + index * n + at] for at in range(n)):
            return 0
        return super().storemask(span, index, mask)


class BornDead(HeapLocal):
    """Every eighth object is born as one without pointers."""

    def storemask(self, span: int, index: int, mask: int) -> int:
        """Say so of it."""
        return super().storemask(span, index, mask) | (DEAD if index % 8 == 7 else 0)


class UncountedFree(HeapLocal):
    """What an M allocates is counted only when its span is full."""

    def mcentral_uncachespan(self, span: int) -> None:
        """As if it had been counted."""
        words = self.port.words
        words[span + SPAN.counted] = words[span + SPAN.nalloc]
        super().mcentral_uncachespan(span)


FAULTS = (
    Fault("black-allocation-off", BlackAllocationOff),
    Fault(
        "published-before-zeroed",
        PublishedDirty,
        unseen="only a marker that comes by a stale pointer looks at an object before its pointer is stored",
    ),
    Fault("unzeroed", Unzeroed),
    Fault("marks-kept", MarksKept),
    Fault("span-swept-twice", SweepsTwice),
    Fault("span-swept-early", SweptEarly),
    Fault("finalized-freed", FinalizedFreed),
    Fault("finalizer-lost", FinalizerLost),
    Fault(
        "finq-count-first",
        CountFirst,
        unseen="an entry that is not there yet is zero, and is scanned again at the end",
    ),
    Fault("slot-taken-twice", SlotTakenTwice),
    Fault("mask-kept", MaskForgotten),
    Fault("born-dead", BornDead),
    Fault("uncounted", UncountedFree),
)
