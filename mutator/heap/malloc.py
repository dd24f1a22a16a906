"""Allocation: mallocgc takes slots from the M's mcache, which is refilled from the central lists.

(Go: mallocgc, mCache_Refill, mCentral_CacheSpan, largeAlloc, gcmarknewobject_m, malloc.go, mcache.go.)

Theory of operation.  A size is rounded up to a class, and the M's mcache holds a span of that class from which slots are
taken in ascending order.  When it is full the central list gives another, sweeping it first if need be, or a fresh one is
cut from the page heap.  Large objects get a span of their own.

Guards.  An object is published by its ALLOCATED bit: mask, then zeroes, then the bit, and only then does the caller have
a pointer to store.  The bit is set by an atomic OR: markers set the marks of neighbours in the same word, and whoever
reads the byte afterwards may read mask and words plainly.  The other way round a marker that comes by a stale pointer, or
whose machine reorders stores, would scan with the mask of the slot's last object, or take poison for a pointer.

Black allocation: in mark termination an object is born marked, and never queued; it is all zeroes.  In every other phase
it is white.

Relied on.  Between taking a slot and returning there is no safepoint, so nobody flushes the mcache meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import ALLOCATED, BYTES, MARKED
from mutator.heap.record import CENTRAL, MHEAP, SPAN
from mutator.heap.sweep import Sweep
from mutator.phase import GCmarktermination
from mutator.world import MRECORD
from workbuf.machine import MASK64, WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Malloc(Sweep):
    """mallocgc over this M's mcache."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.max_small = world.heap.classes.max_small
        self.class_of = list(world.heap.classes.class_of)
        self.mcache = port.words[record + MRECORD.mcache]
        """Cell of the mcache this M allocates from, 0 for none."""
        self.shouldhelpgc = False
        """Did the last allocation refill the mcache, or was it large?"""

    def mallocgc(self, size: int, mask: int) -> int:
        """A zeroed object of at least `size` bytes with pointers in the words whose bits `mask` has; its byte address."""
        if not self.mcache:
            raise Throw("mallocgc called without a P or outside bootstrapping")
        if mask >> (size + WORD - 1) // WORD:
            raise Throw("mallocgc: pointer outside of the object", println("runtime: size", size, "mask", hex(mask)))
        if size > self.max_small:
            return self.largealloc(size, mask)
        self.shouldhelpgc = False
        spanclass = self.class_of[(size + WORD - 1) // WORD] << 1 | (mask == 0)
        span = self.port.words[self.mcache + spanclass]
        index = self.nextfree(span) if span else -1
        if index < 0:
            span = self.mcache_refill(spanclass)
            index = self.nextfree(span)
            self.shouldhelpgc = True
        return self.publish(span, index, mask)

    def largealloc(self, size: int, mask: int) -> int:
        """An object with a span to itself."""
        span = self.freshspan(int(mask == 0), size)
        p = self.publish(span, 0, mask)
        self.countspan(span)
        self.shouldhelpgc = True
        return p

    def publish(self, span: int, index: int, mask: int) -> int:
        """Make a free slot of a span that the caller owns an object; returns its byte address."""
        port, words = self.port, self.port.words
        elemsize = words[span + SPAN.elemsize]
        p = words[span + SPAN.start] + index * elemsize
        bits = ALLOCATED | self.storemask(span, index, mask)
        if words[span + SPAN.needzero]:
            port.fill(p // WORD, (min(p + elemsize, words[span + SPAN.limit]) - p) // WORD, 0)
        words[span + SPAN.freeindex] = index + 1
        words[span + SPAN.nalloc] += 1
        hbits = words[span + SPAN.objs] + index
        # Last: from here on the slot is an object, and its mask and its words are what they say.
        port.or8(hbits, bits)
        if words[self.gcphase] == GCmarktermination:
            self.gcmarknewobject(hbits)
        return p

    def gcmarknewobject(self, hbits: int) -> None:
        """Mark an object just born, whose byte is at `hbits`, because the collection under way will not look for it."""
        words = self.port.words
        if words[self.checkmarkphase]:
            raise Throw("gcmarknewobject called while doing checkmark")
        if words[self.gcphase] != GCmarktermination:
            raise Throw("marking new object while not in mark termination phase")
        self.port.or8(hbits, MARKED)

    def nextfree(self, span: int) -> int:
        """The first free slot of a span that the caller owns, -1 if it has none."""
        words, hint = self.port.words, self.port.hint
        index, nelems = words[span + SPAN.freeindex], words[span + SPAN.nelems]
        cells = words[span + SPAN.objs] // WORD
        keep = BYTES << index % WORD * 8 & MASK64
        for at in range(index // WORD, -(-nelems // WORD)):
            # A hint: markers set bits in the same word, though never this one.
            free = ~hint(cells + at) & keep
            if free:
                index = at * WORD + ((free & -free).bit_length() >> 3)
                return index if index < nelems else -1
            keep = BYTES
        return -1

    # mcache

    def mcache_refill(self, spanclass: int) -> int:
        """Put a span with a free slot into the mcache, for one that is full; returns it."""
        words = self.port.words
        slot = self.mcache + spanclass
        old = words[slot]
        if old:
            if words[old + SPAN.nalloc] != words[old + SPAN.nelems]:
                raise Throw("refill on a nonempty span")
            self.countspan(old)
            words[old + SPAN.incache] = 0
        words[slot] = 0
        span = self.mcentral_cachespan(spanclass)
        words[slot] = span
        return span

    def flushallmcaches(self) -> None:
        """Give every mcache's spans back to the central lists.  The world is stopped."""
        words = self.port.words
        for at in range(words[self.mheap + MHEAP.nmcache]):
            mcache = words[self.mcaches + at]
            for slot in range(mcache, mcache + self.nspanclasses):
                if words[slot]:
                    self.mcentral_uncachespan(words[slot])
                    words[slot] = 0

    # mcentral

    def mcentral_cachespan(self, spanclass: int) -> int:
        """A span of that class with a free slot, for an mcache."""
        port, words = self.port, self.port.words
        central = self.mcentral(spanclass)
        while True:
            port.lock(central + CENTRAL.lock)
            span, unswept = self._pick(central)
            port.unlock(central + CENTRAL.lock)
            if not span:
                span = self.mcentral_grow(spanclass)
                break
            if unswept:
                self.mspan_sweep(span, preserve=True)
            if words[span + SPAN.nalloc] < words[span + SPAN.nelems]:
                break
        words[span + SPAN.incache] = 1
        return span

    def _pick(self, central: int) -> tuple[int, bool]:
        """A span to try, moved to the back of the empty ring, and whether it must be swept; 0 if there is none.

        Swept spans without a free slot gather at the back of the empty ring, so the first one there ends the search.
        The caller holds the list's lock.
        """
        port, words = self.port, self.port.words
        sweepgen = self.sweepgen()
        for head in (central + CENTRAL.nonempty, central + CENTRAL.empty):
            span = words[head + SPAN.next]
            while span != head:
                unswept = self._acquire(span, sweepgen - 2)
                # Atomic: no CAS follows if it is swept, and a sweeper that has freed nothing takes no lock, so this alone
                # orders its sweep before our allocating.
                swept = port.load(span + SPAN.sweepgen) == sweepgen
                if unswept or (swept and head == central + CENTRAL.nonempty):
                    self.ringremove(span)
                    self.ringinsertback(central + CENTRAL.empty, span)
                    return span, unswept
                if swept:
                    break
                span = words[span + SPAN.next]
        return 0, False

    def mcentral_grow(self, spanclass: int) -> int:
        """A fresh span of that class, on the empty ring."""
        span = self.freshspan(spanclass, 0)
        self.mcentral_insert(span, full=True)
        return span

    def freshspan(self, spanclass: int, size: int) -> int:
        """A fresh span in no list: of that class, or, for class 0, of one large object of `size` bytes."""
        span = self.allocspan(self.class_npages[spanclass >> 1] or -(-size >> self.page_shift))
        self.initspan(span, spanclass, size)
        return span

    # mheap

    def allocspan(self, npages: int) -> int:
        """Pages for a span, after sweeping as many free as are asked for, so that the heap does not grow meanwhile."""
        if not self.port.hint(self.mheap + MHEAP.sweepdone):
            self.reclaim(npages)
        span = self.mheap_alloc(npages)
        if not span:
            self.finishsweep_m()
            span = self.mheap_alloc(npages)
        if not span:
            line = println("runtime: no run of", npages, "free pages in an arena of", self.arena_pages)
            raise Throw("out of memory", line)
        return span

    def reclaim(self, npages: int) -> None:
        """Sweep until that many pages have been given back, or nothing is left to sweep."""
        reclaimed = 0
        while reclaimed < npages:
            n = self.sweepone()
            if n < 0:
                break
            reclaimed += n
