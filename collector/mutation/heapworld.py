"""A heap, the objects that there should be in it, and what it promises: zeroes, masks, lookups, statistics, metadata.

The heap is tiny: pages of 64 bytes, four objects of 16 bytes a span, and metadata that comes a few words at a time.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from mutator.heap import ALLOCATED, DEAD, MARKED, MHEAP, MSTATS, SPAN, SPAN_IN_USE, SPECIAL, Heap
from mutator.heap.audit import audit
from mutator.heap.record import metaclass
from mutator.world import World
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collector.explore import SteppedMachine
    from mutator.heap import HeapLocal
    from workbuf.machine import Machine, Port

PAGE = 64
GOAL = 1 << 20
"""Bytes at which the next collection is due, before any sweep."""
GOGC = 50
MANY = 32
"""Pages that are looked up, at most."""
NOWHERE = (0, WORD, 1 << 40)
"""Addresses that are in no arena."""


def heap(machine: SteppedMachine, pages: int, ms: int = 1) -> tuple[World, list[int]]:
    """A heap of so many pages, and Ms."""
    made = Heap.allocate(machine, PAGE * pages, page_size=PAGE, max_small=32, metachunk=16, finblock=104)
    world = World.make(machine, made, markfor=0, ms=ms, gs=1, gcpercent=GOGC)
    return world, [world.newm(f"m{i}") for i in range(ms)]


class Taking:
    """A port that notes what is taken from the system."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.taken: list[tuple[int, int]] = []
        """First cell and number of cells."""
        self.peek = port.hint

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def sysalloc(self, n: int, align: int = 1) -> int:
        """Fresh cells."""
        at = self.port.sysalloc(n, align)
        self.taken.append((at, n))
        return at


class Life:
    """A heap, its M, and the objects that there should be."""

    def __init__(self, port: Port, world: World, record: int, m: type[HeapLocal]) -> None:
        self.port = Taking(port)
        self.world = world
        self.m = m(cast("Port", self.port), world, record)
        self.objects: dict[int, tuple[int, int]] = {}
        """Bytes and mask, by address."""
        self.made = self.before = self.heap = 0
        """Objects that were ever allocated; how many when the last mark was made, and bytes then."""

    def stat(self, field: str) -> int:
        """A word of MSTATS."""
        return int(self.port.hint(self.world.heap.mstats + MSTATS.offsets[field]))

    def new(self, size: int, mask: int = 0) -> int:
        """An object: zero, its mask as asked for, and nobody else's; then it is written all over."""
        p, words = self.m.mallocgc(size, mask), self.port.words
        cells = range(p // WORD, (p + size) // WORD)
        assert not any(words[at] for at in cells), "an object is not born empty"
        assert all(p + size <= other or other + n <= p for other, (n, _) in self.objects.items()), "two objects overlap"
        assert self.m.bitsat(self.m.heapBitsForObject(p)[1]) == ALLOCATED | (0 if mask else DEAD), "its bits are wrong"
        span = self.m.spanOf(p)
        behind = p + words[span + SPAN.elemsize]
        searched = words[span + SPAN.start] + words[span + SPAN.freeindex] * words[span + SPAN.elemsize]
        assert searched == behind, "the next search does not begin behind the slot that was found"
        assert self.m.pointerslots(p)[1] == [i for i in range(len(cells)) if mask >> i & 1], "its mask is another"
        for at in cells:
            words[at] = size
        self.objects[p] = size, mask
        self.made += 1
        return p

    def mark(self, *live: int) -> None:
        """A collection that finds these, and arms the sweeper."""
        self.m.flushallmcaches()
        self.m.finishsweep_m()
        self.told()
        for p in live:
            self.port.or8(self.m.heapBitsForObject(p)[1], MARKED)
        self.port.words[self.world.heap.mstats + MSTATS.next_gc] = GOAL
        self.m.arm_sweep()
        self.before, self.heap = self.made, self.stat("heap_alloc")
        self.lookups()
        self.objects = {p: self.objects[p] for p in live}

    def sweep(self) -> None:
        """Sweep all that is left: so much is told to be freed, and the goal is that much nearer."""
        unswept = sum(not self.m.isswept(span) for span in self.inuse())
        assert self.m.finishsweep_m() == unswept, "it is said that other spans were swept than there were"
        least = GOAL - (self.heap - self.stat("heap_alloc")) * (100 + GOGC) // 100
        nearer = self.made > self.before or least <= self.stat("next_gc") <= least + unswept
        assert nearer, "the next goal has not gone down with what was freed"
        assert self.port.hint(self.world.heap.mheap + MHEAP.sweepdone), "all is swept, and is not said to be"
        self.told()

    def told(self) -> None:
        """What the statistics, the audit and the lookups say while no mcache holds a span."""
        wrong = audit(cast("Machine", self.port), self.world.heap)
        assert not wrong, wrong[0]
        assert self.stat("nmalloc") == self.made, "objects were allocated that are not counted"
        assert self.stat("nmalloc") - self.stat("nfree") == len(self.objects), "objects were freed that are not counted"
        self.lookups()
        self.metadata()

    def inuse(self, state: int = SPAN_IN_USE) -> Iterator[int]:
        """The spans in that state, by all records there are."""
        peek, made = self.port.hint, self.world.heap
        records = (peek(made.allspans + at) for at in range(peek(made.mheap + MHEAP.nspan)))
        return (span for span in records if peek(span + SPAN.state) == state)

    def lookups(self) -> None:
        """The first and the last word of `MANY` pages, and what is in no page, lead to the span that there is."""
        peek, made, m = self.port.hint, self.world.heap, self.m
        owner = {}
        for span in self.inuse():
            owner.update(dict.fromkeys(range(peek(span + SPAN.start), peek(span + SPAN.limit), WORD), span))
        for page in range(made.arena_start, made.arena_end, PAGE * -(-made.npages // MANY)):
            for p in (page, page + PAGE - WORD):
                self.looked(p, owner.get(p, 0))
        for p in (*NOWHERE, made.arena_start - WORD, made.arena_end):
            self.looked(p, 0)
            assert throws("addspecial on invalid pointer", partial(m.addspecial, p, 1, WORD)), "a special of nothing"

    def looked(self, p: int, span: int) -> None:
        """One of them; `span` is 0 if none holds objects there."""
        peek, m = self.port.hint, self.m
        base = hbits = 0
        if span:
            number = (p - peek(span + SPAN.start)) // peek(span + SPAN.elemsize)
            base, hbits = peek(span + SPAN.start) + number * peek(span + SPAN.elemsize), peek(span + SPAN.objs) + number
        assert m.heapBitsForObject(p)[:2] == (base, hbits), "an address leads to an object that is not there"
        assert m.inheap(p) == bool(span), "it is said to be in the heap, or is not"
        there = base if hbits and m.bitsat(hbits) & ALLOCATED else 0
        assert m.masksof(p)[0] == there, "an address leads to the mask of another object"

    def metadata(self) -> None:
        """Bits and masks of spans lie in memory that was taken, each in its own, and what is not used is kept for reuse."""
        peek, made = self.port.hint, self.world.heap
        dead = peek(made.mheap + MHEAP.deadspecials)
        blocks = []
        while dead:
            blocks.append((dead, SPECIAL.size))
            dead = peek(dead + SPECIAL.next)
        for span in self.inuse():
            blocks += [(special, SPECIAL.size) for special in self.m.specials(span)]
            elements, each = peek(span + SPAN.nelems), peek(span + SPAN.maskwords)
            blocks.append((peek(span + SPAN.objs) // WORD, metaclass(-(-elements // WORD) + elements * each)[1]))
        for at in range(made.metafree, made.metafree + metaclass(made.npages * PAGE // WORD)[0] + 1):
            block = peek(at)
            while block:
                blocks.append((block, blocksize(at - made.metafree)))
                block = peek(block)
        taken = set(chain.from_iterable(range(at, at + n) for at, n in self.port.taken))
        cells = list(chain.from_iterable(range(at, at + n) for at, n in blocks))
        assert len(cells) == len(set(cells)), "two spans have the same metadata"
        assert taken.issuperset(cells), "a span has metadata that was not taken"


def throws(text: str, call: Callable[[], object]) -> bool:
    """Does it throw that?"""
    try:
        call()
    except Throw as throw:
        return text in str(throw)
    return False


def blocksize(number: int) -> int:
    """The words of the blocks in the free list of that number (`metaclass`)."""
    return number if number < 8 else 8 + number % 8 << number // 8 - 1
