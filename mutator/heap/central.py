"""The central lists: spans of one class, between the mcaches and the page heap.  (Go: mcentral.go.)

Theory of operation.  A span class has two rings: spans that have a free slot, and spans that have none or are in an
mcache.  A full span stays on the second ring so that it can be found and swept when slots run out.

Guards.  A central list has a lock of its own; the heap's lock is never held while taking it.

Relied on.  `sweepgen` of a swept span is stored under the lock of its list and last: it is what lets others use the span,
and the list must be right by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import DEAD, maskwords
from mutator.heap.pages import Pages
from mutator.heap.record import CENTRAL, MSTATS, SPAN, SPAN_IN_USE
from workbuf.machine import WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Central(Pages):
    """Spans that begin to be used, and what becomes of them after a sweep."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        classes = world.heap.classes
        self.central = world.heap.central
        self.class_size = list(classes.sizes)
        self.class_npages = list(classes.npages)

    def mcentral(self, spanclass: int) -> int:
        """The central list of a span class."""
        return self.central + spanclass * CENTRAL.size

    def initspan(self, span: int, spanclass: int, size: int = 0) -> None:
        """Make a span that `mheap_alloc` gave one of that class, or of one large object of `size` bytes."""
        port, words = self.port, self.port.words
        start = words[span + SPAN.start]
        total = words[span + SPAN.npages] << self.page_shift
        elemsize = self.class_size[spanclass >> 1] or total
        nelems = total // elemsize
        used = elemsize if spanclass > 1 else -(-size // WORD) * WORD
        masked = 0 if spanclass & 1 else -(-used // (64 * WORD))
        nbytes = -(-nelems // WORD)
        metawords = nbytes + nelems * masked
        port.lock(self.heaplock)
        objs = self.metaalloc(metawords)
        port.unlock(self.heaplock)
        port.fill(objs, nbytes, 0)
        words[span + SPAN.limit] = start + (nelems - 1) * elemsize + used
        words[span + SPAN.elemsize] = elemsize
        words[span + SPAN.nelems] = nelems
        words[span + SPAN.objs] = objs * WORD
        words[span + SPAN.masks] = objs + nbytes if masked else 0
        words[span + SPAN.maskwords] = masked
        words[span + SPAN.spanclass] = spanclass
        words[span + SPAN.metawords] = metawords
        words[span + SPAN.freeindex] = words[span + SPAN.nalloc] = words[span + SPAN.counted] = 0
        words[span + SPAN.incache] = 0
        port.post(span + SPAN.specials, 0)
        port.store(span + SPAN.sweepgen, self.sweepgen())
        # Last: a thread that finds the span in use relies on the rest.
        port.store(span + SPAN.state, SPAN_IN_USE)

    def mcentral_insert(self, span: int, *, full: bool) -> None:
        """Put a span that is in no list on the right ring of its class."""
        central = self.mcentral(self.port.words[span + SPAN.spanclass])
        self.port.lock(central + CENTRAL.lock)
        self.ringinsertback(central + (CENTRAL.empty if full else CENTRAL.nonempty), span)
        self.port.unlock(central + CENTRAL.lock)

    def mcentral_uncachespan(self, span: int) -> None:
        """Take a span back from an mcache."""
        port, words = self.port, self.port.words
        central = self.mcentral(words[span + SPAN.spanclass])
        self.countspan(span)
        port.lock(central + CENTRAL.lock)
        words[span + SPAN.incache] = 0
        if words[span + SPAN.nalloc] == 0:
            port.unlock(central + CENTRAL.lock)
            raise Throw("uncaching full span")
        if words[span + SPAN.nalloc] < words[span + SPAN.nelems]:
            self.ringremove(span)
            self.ringinsert(central + CENTRAL.nonempty, span)
        port.unlock(central + CENTRAL.lock)

    def mcentral_freespan(self, span: int, *, wasfull: bool, preserve: bool) -> bool:
        """Slots of the span have been freed: relist it, mark it swept; if it is empty give it to the page heap.

        Returns True if it was given back, which `preserve` forbids, because the caller is about to use the span.
        """
        port, words = self.port, self.port.words
        if words[span + SPAN.incache]:
            raise Throw("freespan into cached span", println("runtime: span", span))
        if preserve:
            port.store(span + SPAN.sweepgen, self.sweepgen())
            return False
        central = self.mcentral(words[span + SPAN.spanclass])
        port.lock(central + CENTRAL.lock)
        if wasfull:
            self.ringremove(span)
            self.ringinsert(central + CENTRAL.nonempty, span)
        unused = words[span + SPAN.nalloc] == 0
        if unused:
            self.ringremove(span)
        # Only now: from here on another M may take the span into its mcache.
        port.store(span + SPAN.sweepgen, self.sweepgen())
        port.unlock(central + CENTRAL.lock)
        if unused:
            self.mheap_free(span)
        return unused

    def countspan(self, span: int) -> None:
        """Add to the statistics what was allocated in the span since it was last counted.  The caller owns it."""
        port, words = self.port, self.port.words
        n = words[span + SPAN.nalloc] - words[span + SPAN.counted]
        if n:
            words[span + SPAN.counted] += n
            port.xadd(self.mstats + MSTATS.heap_alloc, n * words[span + SPAN.elemsize])
            port.xadd(self.mstats + MSTATS.nmalloc, n)

    def storemask(self, span: int, index: int, mask: int) -> int:
        """Store the pointer mask of an object; returns the type bits for its byte: DEAD if the span has no masks."""
        words = self.port.words
        masks = words[span + SPAN.masks]
        if not masks:
            return DEAD
        n = words[span + SPAN.maskwords]
        if n == 1:
            words[masks + index] = mask
        else:
            for at, word in enumerate(maskwords(mask, n), masks + index * n):
                words[at] = word
        return 0
