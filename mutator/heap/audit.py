"""The heap audit: checks every page, slot, bit, list and special against the others, while no thread runs.

What is checked, in the order of the functions below:

* every page of the arena belongs to exactly one span, and the spans table names it;
* a span's allocated slots are those its count says; the bytes behind its last object are zero; no slot before freeindex
  is free; outside a collection no mark is left; a span that holds nothing is in an mcache, or was given back;
* a free slot holds zeroes and poison only: anything else was stored through a pointer to a freed object;
* every small span is on the ring of its class where its filling puts it, and no two free runs lie side by side;
* heap_alloc is what the spans have counted;
* specials are sorted and belong to allocated objects.

The audit reads memory through `machine.peek` with a decoder of its own and shares no code with the allocator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import ALLOCATED, CHECKMARKED, DEAD, MARKED, POISON
from mutator.heap.record import CENTRAL, MHEAP, MSTATS, SPAN, SPAN_DEAD, SPAN_FREE, SPAN_IN_USE, SPECIAL, Heap
from workbuf.counted import counted
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbuf.machine import Machine


def audit(machine: Machine, heap: Heap, *, marks: bool = False) -> list[str]:
    """What is wrong with the heap, a line each; empty if nothing is.

    `marks`: a collection is under way or not yet swept, so mark bits are nothing to complain about.
    """
    return list(Account(machine, heap).problems(marks=marks))


class Account:
    """The spans of a heap, read once; `problems` goes through them."""

    def __init__(self, machine: Machine, heap: Heap) -> None:
        self.peek = machine.peek
        self.heap = heap
        count = self.peek(heap.mheap + MHEAP.nspan)
        self.records = [self.peek(heap.allspans + at) for at in range(count)]

    def problems(self, *, marks: bool) -> Iterator[str]:
        """Every complaint."""
        yield from self._pages()
        for span in self._in(SPAN_IN_USE):
            yield from self._slots(span, marks=marks)
            yield from self._specials(span)
        yield from self._rings()
        yield from self._runs()
        counted = sum(self._field(span, "counted") * self._field(span, "elemsize") for span in self._in(SPAN_IN_USE))
        heap_alloc = self.peek(self.heap.mstats + MSTATS.heap_alloc)
        if heap_alloc != counted:
            yield f"heap_alloc is {heap_alloc}, the spans have counted {counted}"

    def _field(self, span: int, name: str) -> int:
        return self.peek(span + SPAN.offsets[name])

    def _in(self, state: int) -> Iterator[int]:
        return (span for span in self.records if self._field(span, "state") == state)

    def _pages(self) -> Iterator[str]:
        """Ownership of pages, by the records and by the spans table."""
        owner: dict[int, int] = {}
        for span in self.records:
            if self._field(span, "state") == SPAN_DEAD:
                continue
            page = (self._field(span, "start") - self.heap.arena_start) >> self.heap.page_shift
            pages = range(page, page + self._field(span, "npages"))
            for at in pages:
                if at in owner:
                    yield f"page {at} belongs to span {owner[at]} and to span {span}"
                owner[at] = span
            # Of a free run only the ends are in the table: that is where its neighbours look.
            shown = pages if self._field(span, "state") == SPAN_IN_USE else (pages[0], pages[-1])
            for at in shown:
                if self.peek(self.heap.spans + at) != span:
                    yield f"page {at} of span {span} is in the spans table as span {self.peek(self.heap.spans + at)}"
        if self.records and owner.keys() != set(range(self.heap.npages)):
            yield f"pages of no span: {sorted(set(range(self.heap.npages)) - owner.keys())}"

    def _slots(self, span: int, *, marks: bool) -> Iterator[str]:
        """A span's bits, and the words of its free slots."""
        nelems, objs = self._field(span, "nelems"), self._field(span, "objs")
        bits = [self._byte(objs + at) for at in range(-(-nelems // WORD) * WORD)]
        if any(bits[nelems:]):
            yield f"span {span}: bits behind its last object"
        allocated = [at for at in range(nelems) if bits[at] & ALLOCATED]
        if len(allocated) != self._field(span, "nalloc"):
            yield f"span {span}: {counted(len(allocated), 'object')}, nalloc says {self._field(span, 'nalloc')}"
        if not allocated and not self._field(span, "incache"):
            yield f"span {span}: in use, and without an object"
        dead = DEAD if self._field(span, "masks") == 0 else 0
        allowed = (ALLOCATED | dead, ALLOCATED | dead | MARKED, ALLOCATED | dead | MARKED | CHECKMARKED)
        for at in range(nelems):
            if bits[at] & ALLOCATED:
                if bits[at] not in (allowed if marks else allowed[:1]):
                    yield f"span {span}: object {at} has bits {bits[at]:04b}"
            elif bits[at]:
                yield f"span {span}: free slot {at} has bits {bits[at]:04b}"
            else:
                yield from self._freeslot(span, at)
        free = set(range(nelems)) - set(allocated)
        if free and min(free) < self._field(span, "freeindex"):
            yield f"span {span}: slot {min(free)} is free, freeindex is {self._field(span, 'freeindex')}"

    def _freeslot(self, span: int, index: int) -> Iterator[str]:
        """The words of a slot without an object."""
        p = self._field(span, "start") + index * self._field(span, "elemsize")
        end = min(p + self._field(span, "elemsize"), self._field(span, "limit"))
        clean = (0, POISON) if self._field(span, "needzero") else (0,)
        for cell in range(p // WORD, end // WORD):
            if self.peek(cell) not in clean:
                yield f"span {span}: word {cell} of free slot {index} holds {self.peek(cell):#x}"

    def _byte(self, at: int) -> int:
        return self.peek(at // WORD) >> at % WORD * 8 & 0xFF

    def _rings(self) -> Iterator[str]:
        """Which small span is on which central ring."""
        for spanclass in range(2, 2 * self.heap.classes.count):
            central = self.heap.central + spanclass * CENTRAL.size
            nonempty = set(self._ring(central + CENTRAL.nonempty))
            empty = set(self._ring(central + CENTRAL.empty))
            for span in self._in(SPAN_IN_USE):
                if self._field(span, "spanclass") != spanclass:
                    continue
                full = self._field(span, "nalloc") == self._field(span, "nelems") or self._field(span, "incache")
                if span not in (empty if full else nonempty) or span in (nonempty if full else empty):
                    yield f"span {span} of class {spanclass}: not on its ring, or on the wrong one"
                nonempty.discard(span)
                empty.discard(span)
            if nonempty or empty:
                yield f"class {spanclass}: its rings hold {sorted(nonempty | empty)}, which are not of it"

    def _ring(self, head: int) -> Iterator[int]:
        """The spans on a ring, as far as it is one."""
        before, span = head, self.peek(head + SPAN.next)
        while span != head and self.peek(span + SPAN.prev) == before:
            yield span
            before, span = span, self.peek(span + SPAN.next)

    def _runs(self) -> Iterator[str]:
        """Free runs: on the list of their length, and joined."""
        listed = {span: at for at in range(self.heap.max_list) for span in self._ring(self.heap.free + 2 * at)}
        ends = {}
        for span in self._in(SPAN_FREE):
            npages = self._field(span, "npages")
            if listed.pop(span, None) != (npages if npages < self.heap.max_list else 0):
                yield f"free run {span} of {npages} pages is not on its list"
            ends[self._field(span, "start") + (npages << self.heap.page_shift)] = span
        for span in self._in(SPAN_FREE):
            if self._field(span, "start") in ends:
                yield f"free runs {ends[self._field(span, 'start')]} and {span} lie side by side"
        if listed:
            yield f"lists of free runs hold {sorted(listed)}, which are not free"

    def _specials(self, span: int) -> Iterator[str]:
        """Order and objects of a span's specials."""
        keys = []
        special = self._field(span, "specials")
        while special:
            keys.append((self.peek(special + SPECIAL.offset), self.peek(special + SPECIAL.kind)))
            special = self.peek(special + SPECIAL.next)
        if keys != sorted(set(keys)):
            yield f"span {span}: specials out of order: {keys}"
        for offset, kind in keys:
            index = offset // self._field(span, "elemsize")
            if kind == 0 or not self._byte(self._field(span, "objs") + index) & ALLOCATED:
                yield f"span {span}: special of kind {kind} on object {index}, which is not allocated"
