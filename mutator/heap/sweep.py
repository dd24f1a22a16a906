"""Sweep: unmarked objects are freed, marks are cleared, finalizers are queued.  (Go: mSpan_Sweep, sweepone, mgcsweep.go.)

Theory of operation.  A collection ends by adding 2 to the heap's sweepgen: from then on every span is unswept, and whoever
needs one, or has nothing better to do, sweeps it.  A span's own sweepgen says where it stands, h being the heap's:

    h-2  needs sweeping        h-1  is being swept        h  is swept, objects may be allocated in it

The compare-and-swap from h-2 to h-1 gives the span to one sweeper, who works on it alone: no lock and no atomic on bits.
An unmarked object that has a finalizer is kept for this round, its finalizer goes to the queue.  Every word of a freed
object is overwritten with POISON, so a use after free is seen by whoever loads from it.

Guards.  sweepgen is stored last (see mcentral_freespan): earlier, an object could be allocated and freed at once.

Relied on.  No mcache holds a span when the sweep is armed: flushallmcaches ran in mark termination, `arm_sweep` checks.

Not modelled.  Go's check that the M is locked: here nobody is preempted between two polls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import ALLOCATED, BYTES, DEAD, MARKED, POISON
from mutator.heap.central import Central
from mutator.heap.record import FINALIZER, MHEAP, MSTATS, SPAN, SPAN_IN_USE, SPAN_STATES, SPECIAL
from mutator.heap.specials import Specials
from mutator.world import RUNTIME
from workbuf.machine import WORD, Pause
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Sweep(Central, Specials):
    """Sweeping of one span, of the next one, of all."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.mcaches = world.heap.mcaches
        self.nspanclasses = 2 * world.heap.classes.count
        self.checkmarkphase = world.runtime + RUNTIME.checkmarkphase
        self.percent = world.runtime + RUNTIME.gcpercent
        self.spans_swept = 0
        """By this M so far."""

    def arm_sweep(self) -> None:
        """Hand the heap to the sweeper: whatever is not marked now is free.  The world is stopped, next_gc just set."""
        words, mheap = self.port.words, self.mheap
        for at in range(words[mheap + MHEAP.nmcache]):
            mcache = words[self.mcaches + at]
            if any(words[slot] for slot in range(mcache, mcache + self.nspanclasses)):
                raise Throw("sweep armed with a span in an mcache", println("runtime: mcache", at))
        self.snapshotspans()
        percent = words[self.percent]
        words[mheap + MHEAP.goalpercent] = 100 + (percent if percent < 1 << 63 else 100)
        words[mheap + MHEAP.sweepgen] += 2
        words[mheap + MHEAP.sweepdone] = 0
        words[mheap + MHEAP.spanidx] = 0

    def sweepone(self) -> int:
        """Sweep the next span that needs it; returns the pages given back to the heap, -1 if no span was left."""
        port, words = self.port, self.port.words
        unswept = self.sweepgen() - 2
        while True:
            at = port.xadd(self.mheap + MHEAP.spanidx, 1) - 1
            if at >= words[self.mheap + MHEAP.nsnapshot]:
                port.post(self.mheap + MHEAP.sweepdone, 1)
                return -1
            span = words[self.h_allspans + at]
            if port.load(span + SPAN.state) == SPAN_IN_USE and self._acquire(span, unswept):
                npages = words[span + SPAN.npages]
                return npages if self.mspan_sweep(span) else 0

    def ensure_swept(self, span: int) -> None:
        """Sweep the span, or wait until the M that is sweeping it is done."""
        sweepgen = self.sweepgen()
        if self._acquire(span, sweepgen - 2):
            self.mspan_sweep(span)
            return
        while self.port.load(span + SPAN.sweepgen) != sweepgen:
            self.port.pause(Pause.OSYIELD, 1)

    def finishsweep_m(self) -> int:
        """Sweep everything that is left and wait for the spans that others are sweeping; returns the spans swept here."""
        port = self.port
        before = self.spans_swept
        while self.sweepone() >= 0:
            port.check()
        sweepgen = self.sweepgen()
        for span in self.allspans():
            # In use only: the sweepgen of a free span means nothing.
            # The sweepgen atomically: another's sweep is ordered before what we do with the span from here on.
            while port.hint(span + SPAN.state) == SPAN_IN_USE and port.load(span + SPAN.sweepgen) != sweepgen:
                port.pause(Pause.OSYIELD, 1)
        return self.spans_swept - before

    def _acquire(self, span: int, unswept: int) -> bool:
        """Become the sweeper of a span if it is unswept.  Read first: most spans are not."""
        port, at = self.port, span + SPAN.sweepgen
        return port.hint(at) == unswept and port.cas(at, unswept, unswept + 1)

    def mspan_sweep(self, span: int, *, preserve: bool = False) -> bool:
        """Free the span's unmarked objects and clear its marks.  The caller has set its sweepgen to h-1.

        Returns True if the span was given back to the page heap, which `preserve` forbids.
        """
        port, words = self.port, self.port.words
        if words[self.checkmarkphase]:
            raise Throw("MSpan_Sweep: checkmark only runs in STW and after the sweep")
        self._checkstate(span, "MSpan_Sweep: bad span state")
        large = words[span + SPAN.spanclass] <= 1
        if preserve and large:
            raise Throw("can't preserve large span")
        wasfull = words[span + SPAN.nalloc] == words[span + SPAN.nelems]
        self.sweepspecials(span)
        nfree = self.sweepbits(span)
        self.spans_swept += 1
        if not nfree or large:
            self._checkstate(span, "MSpan_Sweep: bad span state after sweep")
            port.store(span + SPAN.sweepgen, self.sweepgen())
        if not nfree:
            return False
        if large:
            self.mheap_free(span)
            return True
        return self.mcentral_freespan(span, wasfull=wasfull, preserve=preserve)

    def _checkstate(self, span: int, text: str) -> None:
        """Throw `text` unless the span is in use and being swept."""
        words = self.port.words
        state, sweepgen = words[span + SPAN.state], self.port.load(span + SPAN.sweepgen)
        if state != SPAN_IN_USE or sweepgen != self.sweepgen() - 1:
            line = f"MSpan_Sweep: state={SPAN_STATES[state]} sweepgen={sweepgen} mheap.sweepgen={self.sweepgen()}"
            raise Throw(text, line)

    def sweepspecials(self, span: int) -> None:
        """Queue the finalizers of unmarked objects and keep these objects; drop other specials of objects that go."""
        words = self.port.words
        link = span + SPAN.specials
        start, elemsize, objs = words[span + SPAN.start], words[span + SPAN.elemsize], words[span + SPAN.objs]
        while words[link]:
            index = words[words[link] + SPECIAL.offset] // elemsize
            if words[(objs + index) // WORD] >> (objs + index) % WORD * 8 & MARKED:
                link = words[link] + SPECIAL.next
                continue
            end = (index + 1) * elemsize
            if self._hasfinalizer(words[link], end):
                # Before any of its specials goes: sweepbits frees what is not marked.
                cell = (objs + index) // WORD
                self.port.post(cell, words[cell] | MARKED << (objs + index) % WORD * 8)
                while words[link] and words[words[link] + SPECIAL.offset] < end:
                    special = words[link]
                    if words[special + SPECIAL.kind] != FINALIZER:
                        link = special + SPECIAL.next
                        continue
                    self.queuefinalizer(start + words[special + SPECIAL.offset], words[special + SPECIAL.fn])
                    self.unlinkspecial(link)
            else:
                self.unlinkspecial(link)

    def _hasfinalizer(self, special: int, end: int) -> bool:
        """Is there a finalizer from `special` on, before offset `end`?"""
        words = self.port.words
        while special and words[special + SPECIAL.offset] < end:
            if words[special + SPECIAL.kind] == FINALIZER:
                return True
            special = words[special + SPECIAL.next]
        return False

    def sweepbits(self, span: int) -> int:
        """Clear marks, free and poison what is not marked; returns the number of objects freed."""
        port, words = self.port, self.port.words
        cells = words[span + SPAN.objs] // WORD
        freed = []
        for at in range(-(-words[span + SPAN.nelems] // WORD)):
            word = words[cells + at]
            live = word & word >> 1 & BYTES
            kept = word & live * (ALLOCATED | DEAD)
            if kept != word:
                # Posted: mutators look at their live objects' bytes meanwhile; nothing that they look for changes.
                port.post(cells + at, kept)
                gone = word & BYTES & ~live
                while gone:
                    low = gone & -gone
                    freed.append(at * WORD + (low.bit_length() >> 3))
                    gone ^= low
        if not freed:
            return 0
        self.poison(span, freed)
        n = len(freed)
        nbytes = n * words[span + SPAN.elemsize]
        words[span + SPAN.needzero] = 1
        words[span + SPAN.freeindex] = min(words[span + SPAN.freeindex], freed[0])
        words[span + SPAN.nalloc] -= n
        words[span + SPAN.counted] -= n
        port.xadd(self.mstats + MSTATS.nfree, n)
        port.xadd(self.mstats + MSTATS.heap_alloc, -nbytes)
        # next_gc was set for a heap that still counted these bytes.
        port.xadd(self.mstats + MSTATS.next_gc, -(nbytes * words[self.mheap + MHEAP.goalpercent] // 100))
        return n

    def poison(self, span: int, freed: list[int]) -> None:
        """Overwrite the slots whose numbers, ascending, are given."""
        words = self.port.words
        start, elemsize = words[span + SPAN.start], words[span + SPAN.elemsize]
        limit = words[span + SPAN.limit]
        first = freed[0]
        for at, index in enumerate(freed):
            if at + 1 == len(freed) or freed[at + 1] != index + 1:
                p = start + first * elemsize
                n = min(start + (index + 1) * elemsize, limit) - p
                self.port.fill(p // WORD, n // WORD, POISON)
                if at + 1 < len(freed):
                    first = freed[at + 1]
