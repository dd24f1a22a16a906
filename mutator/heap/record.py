"""The heap's records and their layout in the flat memory.  (Go: mheap, mspan, mcentral, mcache, special.)

The arena is one range of cells, divided into pages.  A *span* is a run of pages, free or holding objects of one size;
its record says which, and where its objects' bytes and masks lie (bits.py).  `spans` has one cell per page, the record
of the span it belongs to; `allspans` lists every record ever made.  A record that is not needed is dead and waits on
`deadspans`.

    arena     | page | page | page | ...        byte addresses arena_start .. arena_end, what pointers point into
    spans     | span | span |  0   | ...        a cell per page
    span      start npages elemsize nelems ... -> objs: a byte per object;  masks: maskwords words per object

Lists are doubly linked rings through `next` and `prev`, the first two fields of a span, with a head of those two cells.

The arena does not grow: it is reserved at once, and untouched pages cost nothing on real memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mutator.heap.sizeclass import PAGE_SIZE, SizeClasses
from workbuf.layout import Struct
from workbuf.machine import WORD


if TYPE_CHECKING:
    from workbuf.machine import Machine


SPAN = Struct(
    "span",
    "next",
    "prev",
    "start",
    "npages",
    "limit",
    "elemsize",
    "nelems",
    "state",
    "spanclass",
    "sweepgen",
    "objs",
    "masks",
    "maskwords",
    "metawords",
    "freeindex",
    "nalloc",
    "counted",
    "incache",
    "needzero",
    "specials",
    "speciallock",
)
"""A span's record.

start, limit    byte addresses: its first byte, and the end of its last object
npages          pages
elemsize        bytes of an object's slot
nelems          slots
state           SPAN_FREE, SPAN_IN_USE, SPAN_STACK, SPAN_DEAD
spanclass       2 * size class + (1 if its objects have no pointers); size class 0: one large object
sweepgen        against the heap's h: h-2 needs sweeping, h-1 is being swept, h is swept and ready
objs            byte address of the first object's byte; a whole number of words
masks           cell of the first object's pointer mask, 0 if its objects have no pointers
maskwords       words of an object's mask
metawords       words that objs and masks take together
freeindex       no slot before this one is free
nalloc          allocated slots
counted         how many of them heap_alloc and nmalloc know of
incache         1 while an mcache holds it
needzero        1 if its memory may hold something, poison as a rule
specials        first special, sorted by offset, then kind
"""

SPAN_FREE, SPAN_IN_USE, SPAN_STACK, SPAN_DEAD = range(4)
SPAN_STATES = ("free", "in use", "stack", "dead")

CENTRAL = Struct("mcentral", "lock", "nonempty", "nonempty.prev", "empty", "empty.prev")
"""A central list of one span class: spans with a free slot, and spans without one or in an mcache."""

MHEAP = Struct(
    "mheap",
    "lock",
    "sweepgen",
    "sweepdone",
    "spanidx",
    "nspan",
    "nsnapshot",
    "goalpercent",
    "deadspans",
    "deadspecials",
    "metaat",
    "metaend",
    "nmcache",
    "finlock",
    "finq",
    "finc",
    "allfin",
    "fingwake",
)
"""The heap's own words.

sweepgen        even; grows by 2 when a collection hands the heap to the sweeper
sweepdone       1 once every span of the snapshot has been taken by a sweeper
spanidx         spans of the snapshot taken so far
nspan           records in allspans;  nsnapshot: how many of them the collection under way looks at
goalpercent     100 + GOGC when next_gc was set; what sweep frees takes next_gc down in the same proportion
metaat, metaend cells left in the chunk that records, bits and masks are cut from
nmcache         mcaches made
deadspans       span records not in use;  deadspecials: specials not in use, which stay specials for ever
finq, finc      finalizer blocks: to be run, and empty ones for reuse;  allfin: every one, through alllink
fingwake        1 if finalizers were queued since somebody looked
"""

MSTATS = Struct("mstats", "nmalloc", "nfree", "heap_alloc", "next_gc")
"""Objects allocated and freed; bytes allocated and not yet freed; the size at which the next collection is due.

Allocation is counted when a span leaves an mcache, so the first and third lag by what mcaches hold."""

SPECIAL = Struct("special", "next", "offset", "kind", "fn")
"""Something attached to the object `offset` bytes into a span; for a finalizer, `fn` is the closure, a pointer."""
FINALIZER = 1
"""The kind of a finalizer; 0 is no kind."""

FINBLOCK = Struct("finblock", "alllink", "next", "cnt")
"""Header of a block of queued finalizers; `cnt` entries of FIN follow it."""
FIN = Struct("finalizer", "fn", "arg", "nret", "fint", "ot")
"""A queued finalizer.  `fn` and `arg` are used; the others keep Go's size."""
FIN_BLOCK_SIZE = 4096
"""Go's _FinBlockSize: bytes of a block, so 101 entries."""

MAX_LIST = 128
"""Free runs of fewer pages than this have a list for each length (_MaxMHeapList)."""


@dataclass(frozen=True)
class Heap:
    """Addresses (cells unless said) and constants of the heap; made before any thread runs."""

    classes: SizeClasses
    arena_start: int
    """Byte address."""
    arena_end: int
    """Byte address behind the last page."""
    page_shift: int
    npages: int
    spans: int
    allspans: int
    mheap: int
    mstats: int
    central: int
    """First of the central lists, one CENTRAL per span class."""
    free: int
    """Heads of the lists of free runs: [n] of n pages, [0] of max_list pages and more; two cells each."""
    max_list: int
    metafree: int
    """Heads of the lists of unused metadata, by `metaclass`; a span's never takes more words than its objects."""
    metachunk: int
    """Cells of metadata taken from the system at a time."""
    mcaches: int
    """Table of mcaches; MHEAP.nmcache says how many."""
    max_mcaches: int
    finptrmask: int
    """Pointer bitmap of a finalizer block's entries, 64 words a cell."""
    finentries: int
    """Entries in a finalizer block."""

    @classmethod
    def allocate(
        cls,
        machine: Machine,
        arena_bytes: int,
        *,
        page_size: int = PAGE_SIZE,
        max_small: int = 0,
        metachunk: int = 8192,
        max_mcaches: int = 64,
        finblock: int = FIN_BLOCK_SIZE,
        next_gc: int = 4 << 20,
    ) -> Heap:
        """A heap of `arena_bytes`, rounded up to pages, all of it one free run that no record describes yet."""
        classes = SizeClasses(page_size, max_small)
        npages = -(-arena_bytes // page_size)
        if npages < 1:
            raise ValueError(f"arena of {arena_bytes} bytes: must hold at least one page of {page_size}")
        finentries = (finblock // WORD - FINBLOCK.size) // FIN.size
        if finentries < 1:
            raise ValueError(f"finalizer block of {finblock} bytes: holds no entry")
        arena = machine.alloc(npages * page_size // WORD, "arena", align=page_size // WORD)
        spanclasses = 2 * classes.count
        max_list = min(npages + 1, MAX_LIST)
        heap = cls(
            classes=classes,
            arena_start=arena * WORD,
            arena_end=arena * WORD + npages * page_size,
            page_shift=page_size.bit_length() - 1,
            npages=npages,
            spans=machine.alloc(npages, "h_spans"),
            allspans=machine.alloc(npages + 1, "allspans"),
            mheap=MHEAP.allocate(machine, "mheap"),
            mstats=MSTATS.allocate(machine, "mstats"),
            central=machine.alloc(
                spanclasses * CENTRAL.size,
                "mcentral",
                [f"{field}[{at}]" for at in range(spanclasses) for field in CENTRAL.fields],
            ),
            free=machine.alloc(2 * max_list, "mheap.free"),
            max_list=max_list,
            metafree=machine.alloc(metaclass(2 * npages * page_size // WORD)[0] + 1, "metafree"),
            metachunk=metachunk,
            mcaches=machine.alloc(max_mcaches, "mcaches"),
            max_mcaches=max_mcaches,
            finptrmask=machine.alloc(-(-finentries * FIN.size // 64), "finptrmask"),
            finentries=finentries,
        )
        heap._initialize(machine, next_gc)
        return heap

    def _initialize(self, machine: Machine, next_gc: int) -> None:
        """Empty lists, the first sweep done, every page in no span."""
        for at in range(2 * self.classes.count):
            for field in (CENTRAL.nonempty, CENTRAL.empty):
                _ring(machine, self.central + at * CENTRAL.size + field)
        for at in range(self.max_list):
            _ring(machine, self.free + 2 * at)
        pointers = sum((1 << FIN.fn | 1 << FIN.arg) << FIN.size * at for at in range(self.finentries))
        for at in range(-(-self.finentries * FIN.size // 64)):
            machine.poke(self.finptrmask + at, pointers >> 64 * at & (1 << 64) - 1)
        machine.poke(self.mheap + MHEAP.sweepdone, 1)
        machine.poke(self.mstats + MSTATS.next_gc, next_gc)

    def allocate_mcache(self, machine: Machine, name: str) -> int:
        """An empty mcache: a cell per span class, holding a span or 0.  Returns its first cell."""
        count = machine.peek(self.mheap + MHEAP.nmcache)
        if count == self.max_mcaches:
            raise ValueError(f"more than {self.max_mcaches} mcaches: allocate the heap with a larger max_mcaches")
        mcache = machine.alloc(2 * self.classes.count, name)
        machine.poke(self.mcaches + count, mcache)
        machine.poke(self.mheap + MHEAP.nmcache, count + 1)
        return mcache


def metaclass(n: int) -> tuple[int, int]:
    """The free list for `n` words of metadata, and the words that its blocks have: at most an eighth more than asked."""
    shift = max(n.bit_length() - 4, 0)
    steps = -(-n // (1 << shift))
    return shift * 8 + steps, steps << shift


def _ring(machine: Machine, head: int) -> None:
    """Make the two cells at `head` the head of an empty ring."""
    machine.poke(head, head)
    machine.poke(head + 1, head)
