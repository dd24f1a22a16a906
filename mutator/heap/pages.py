"""The page heap: cuts spans from the arena and takes them back.  (Go: MHeap_Alloc, MHeap_Free, mheap.go.)

Theory of operation.  Free pages lie in runs, each described by a record and listed by its length; the best fit is cut to
size and the rest stays free.  A run given back is joined with the free runs before and behind it, which are found through
the spans table, where a free run fills in its first and its last page.

Records, object bytes and masks come out of chunks taken from the system.  Bytes and masks of a span that is freed are kept
by size for the next one (sizes are rounded up to one of eight steps per doubling), so a long run does not grow.

Guards.  Everything here holds the heap's lock: every page of the arena belongs to one span (audit.py).

Relied on.  Sweep poisons a freed object and leaves its memory so; `needzero` says that a span's memory is not zero.

Not modelled.  Giving memory back to the operating system; the lists of busy spans; mHeap_Reclaim's preference for large
objects (malloc.py sweeps any span until enough pages are free).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.record import MHEAP, SPAN, SPAN_DEAD, SPAN_FREE, SPAN_IN_USE, SPAN_STATES, SPECIAL, metaclass
from mutator.heap.spans import Spans
from workbuf.machine import WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Pages(Spans):
    """The page heap.  The caller holds no lock of the heap's unless said."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        heap = world.heap
        self.heaplock = heap.mheap + MHEAP.lock
        self.freelists = heap.free
        self.max_list = heap.max_list
        self.metafree = heap.metafree
        self.metachunk = heap.metachunk
        self.maxspans = heap.npages + 1
        self.arena_pages = heap.npages

    # Rings of spans.  The caller holds the lock that guards the ring.

    def ringinsert(self, head: int, span: int) -> None:
        """Insert at the front."""
        words = self.port.words
        first = words[head + SPAN.next]
        words[span + SPAN.next] = first
        words[span + SPAN.prev] = head
        words[first + SPAN.prev] = span
        words[head + SPAN.next] = span

    def ringinsertback(self, head: int, span: int) -> None:
        """Insert at the back."""
        self.ringinsert(self.port.words[head + SPAN.prev], span)

    def ringremove(self, span: int) -> None:
        """Take a span out of the ring it is in."""
        words = self.port.words
        before, behind = words[span + SPAN.prev], words[span + SPAN.next]
        words[before + SPAN.next] = behind
        words[behind + SPAN.prev] = before
        words[span + SPAN.next] = words[span + SPAN.prev] = 0

    # Records and metadata.  The caller holds the heap's lock.

    def newspan(self) -> int:
        """A span record, dead; one that was used before if there is one."""
        port, words = self.port, self.port.words
        span = words[self.mheap + MHEAP.deadspans]
        if span:
            words[self.mheap + MHEAP.deadspans] = words[span + SPAN.next]
            return span
        number = words[self.mheap + MHEAP.nspan]
        if number == self.maxspans:
            raise Throw("runtime: cannot allocate memory", println("runtime: more spans than pages"))
        span = SPAN.allocate_late(port, f"span{number}")
        words[span + SPAN.state] = SPAN_DEAD
        words[self.h_allspans + number] = span
        words[self.mheap + MHEAP.nspan] = number + 1
        return span

    def deletespan(self, span: int) -> None:
        """The span's pages now belong to another record."""
        words = self.port.words
        self.port.store(span + SPAN.state, SPAN_DEAD)
        words[span + SPAN.next] = words[self.mheap + MHEAP.deadspans]
        words[self.mheap + MHEAP.deadspans] = span

    def metaalloc(self, n: int) -> int:
        """`n` cells of metadata holding anything; returns the first."""
        port, words = self.port, self.port.words
        at, n = metaclass(n)
        block = words[self.metafree + at]
        if block:
            words[self.metafree + at] = words[block]
            return block
        if n > self.metachunk:
            block = port.sysalloc(n)
            port.label(block, n, "spanmeta")
            return block
        block = words[self.mheap + MHEAP.metaat]
        if block + n > words[self.mheap + MHEAP.metaend] or block == 0:
            block = port.sysalloc(self.metachunk)
            port.label(block, self.metachunk, "spanmeta")
            words[self.mheap + MHEAP.metaend] = block + self.metachunk
        words[self.mheap + MHEAP.metaat] = block + n
        return block

    def metarelease(self, block: int, n: int) -> None:
        """Keep `n` cells got from `metaalloc` for reuse."""
        words = self.port.words
        at, _ = metaclass(n)
        words[block] = words[self.metafree + at]
        words[self.metafree + at] = block

    def newspecial(self) -> int:
        """A record for a special."""
        words = self.port.words
        special = words[self.mheap + MHEAP.deadspecials]
        if special:
            words[self.mheap + MHEAP.deadspecials] = words[special + SPECIAL.next]
            return special
        return self.metaalloc(SPECIAL.size)

    # Runs of pages.

    def mheap_alloc(self, npages: int) -> int:
        """A span of `npages` pages, dead until it has a class, in no list; 0 if the arena has none."""
        port, words = self.port, self.port.words
        port.lock(self.heaplock)
        span = self._bestfit(npages) or self._firstrun(npages)
        if span:
            self._cut(span, npages)
            # Not free any more before the lock is given up: a neighbour that is freed meanwhile would join with it.
            port.store(span + SPAN.state, SPAN_DEAD)
            page = self._page(words[span + SPAN.start])
            for at in range(page, page + npages):
                port.post(self.h_spans + at, span)
        port.unlock(self.heaplock)
        return span

    def mheap_free(self, span: int) -> None:
        """Give back a span that nobody can reach, with its bytes and masks.  It is in no list."""
        port, words = self.port, self.port.words
        port.lock(self.heaplock)
        state = words[span + SPAN.state]
        if state != SPAN_IN_USE or words[span + SPAN.nalloc] != 0 or not self.isswept(span):
            raise Throw(
                "MHeap_FreeSpanLocked - invalid free",
                println("runtime: span", span, "state", SPAN_STATES[state], "allocated", words[span + SPAN.nalloc]),
            )
        port.store(span + SPAN.state, SPAN_FREE)
        self.metarelease(words[span + SPAN.objs] // WORD, words[span + SPAN.metawords])
        self._coalesce(span)
        port.unlock(self.heaplock)

    def _page(self, p: int) -> int:
        return p - self.arena_start >> self.page_shift

    def _freelist(self, npages: int) -> int:
        """Head of the list that a free run of `npages` is in."""
        return self.freelists + 2 * (npages if npages < self.max_list else 0)

    def _bestfit(self, npages: int) -> int:
        """The shortest free run of at least `npages`, out of its list; the lowest one among the long ones."""
        words = self.port.words
        for n in range(npages, self.max_list):
            span = words[self.freelists + 2 * n + SPAN.next]
            if span != self.freelists + 2 * n:
                self.ringremove(span)
                return span
        best = 0
        span = words[self.freelists + SPAN.next]
        while span != self.freelists:
            n = words[span + SPAN.npages]
            if n >= npages and (
                best == 0 or (n, words[span + SPAN.start]) < (words[best + SPAN.npages], words[best + SPAN.start])
            ):
                best = span
            span = words[span + SPAN.next]
        if best:
            self.ringremove(best)
        return best

    def _firstrun(self, npages: int) -> int:
        """The whole arena as one free run, if it was never touched and is long enough; else 0."""
        words = self.port.words
        if words[self.mheap + MHEAP.nspan] or npages > self.arena_pages:
            return 0
        return self._newrun(self.arena_start, self.arena_pages, 0)

    def _newrun(self, start: int, npages: int, needzero: int) -> int:
        """A record for a free run, in no list."""
        port, words = self.port, self.port.words
        span = self.newspan()
        words[span + SPAN.start] = start
        words[span + SPAN.npages] = npages
        words[span + SPAN.needzero] = needzero
        port.store(span + SPAN.state, SPAN_FREE)
        return span

    def _cut(self, span: int, npages: int) -> None:
        """Let the span keep its first `npages` pages; what is behind them becomes a free run of its own."""
        words = self.port.words
        start, rest = words[span + SPAN.start], words[span + SPAN.npages] - npages
        if rest:
            self._listrun(self._newrun(start + (npages << self.page_shift), rest, words[span + SPAN.needzero]))
            words[span + SPAN.npages] = npages

    def _listrun(self, span: int) -> None:
        """Put a free run on its list and in the spans table."""
        port, words = self.port, self.port.words
        npages = words[span + SPAN.npages]
        page = self._page(words[span + SPAN.start])
        port.post(self.h_spans + page, span)
        port.post(self.h_spans + page + npages - 1, span)
        self.ringinsert(self._freelist(npages), span)

    def _coalesce(self, span: int) -> None:
        """Join a run just freed with the free runs on both sides, and list it."""
        words = self.port.words
        words[span + SPAN.needzero] = 1
        page = self._page(words[span + SPAN.start])
        for at in (page - 1, page + words[span + SPAN.npages]):
            other = words[self.h_spans + at] if 0 <= at < self.arena_pages else 0
            # A hint: a neighbour that is about to be used changes its state without the lock, but never from or to free.
            if other and self.port.hint(other + SPAN.state) == SPAN_FREE:
                self.ringremove(other)
                words[span + SPAN.start] = min(words[span + SPAN.start], words[other + SPAN.start])
                words[span + SPAN.npages] += words[other + SPAN.npages]
                self.deletespan(other)
        self._listrun(span)
