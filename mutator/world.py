"""The runtime's global state and its records (M, P, G, sched), by address.  (Go: runtime2.go, sched, allgs, allm.)

This module defines the layout of the shared records (phase, Ms, Ps, goroutines, globals) and makes them before any thread
runs.  The code that works on them (stopping, scanning, marking) is in `collector/`, so that a mutator never imports the
collector.  A `World` holds integers only; every M copies them into its own attributes.

Not modelled.  Many goroutines on one M: each mutator M runs one goroutine for good and has one P, so a run queue would
have nothing to choose.  Goroutines without an M (those of a heap dump) are parked for ever and only scanned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbuf.layout import Struct
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Iterable

    from mutator.heap.record import Heap
    from workbuf.machine import Machine


MRECORD = MLOCAL.extended(
    "m", "id", "helpgc", "park", "p", "curg", "stopped", "schedlink", "mcache", "exiting", "scanned", "assisted"
)
"""An M.  `helpgc` > 0: helper number in this mark termination; `stopped`: parked until the world starts; `scanned` and
`assisted`: objects it has scanned, and how many of them for its allocations (counters that decide nothing)."""

P = Struct("p", "id", "status", "m", "mcache")
PIDLE, PRUNNING, PSYSCALL, PGCSTOP, PDEAD = range(5)

G = Struct(
    "g",
    "goid",
    "status",
    "preempt",
    "preemptscan",
    "stackguard",
    "gcworkdone",
    "gcscanvalid",
    "waitsince",
    "frame",
    "stackbase",
    "stackend",
    "m",
    "elem",
    "link",
)
"""A goroutine.  `frame` is the cell of its innermost frame, `elem` the slot a channel partner writes or reads."""

GIDLE, GRUNNABLE, GRUNNING, GSYSCALL, GWAITING, GMORIBUND, GDEAD, GENQUEUE, GCOPYSTACK = range(9)
GSCAN = 0x1000
"""The scan bit: the thread that set it owns the goroutine's stack until it is cleared."""

SCHED = Struct("sched", "lock", "gcwaiting", "stopwait", "stopnote", "midle", "nmidle", "gomaxprocs")

RUNTIME = Struct(
    "runtime",
    "gcphase",
    "checkmarkphase",
    "worldsema",
    "allglock",
    "allglen",
    "allmlen",
    "harvestingwbufs",
    "bggc_lock",
    "bggc_working",
    "bggc_note",
    "bggc_force",
    "gcpercent",
    "numgc",
    "stopping",
    "gcblackenpromptly",
    "gcmarkdoneflushed",
)
"""The last two are of later designs: caching is off; how many Ps have flushed work when all were asked."""

MEMSTATS = Struct("memstats", "numgc", "pause_total_ns", "last_gc")
"""Totals of the collections there were; `PAUSES` pauses follow, and then as many times of their ends."""
PAUSES = 256

MAX_GCPROC = 32
"""Most threads that mark together (_MaxGcproc)."""
STACK_PREEMPT = (1 << 64) - 1314
"""A stack guard that no stack pointer passes: the next poll goes into newstack."""


@dataclass(kw_only=True)
class World(Globals):
    """Addresses (cells) of everything global."""

    heap: Heap
    sched: int
    runtime: int
    gcphase: int
    allgs: int
    allm: int
    allp: int
    data: Segment
    bss: Segment
    markfor: int
    """Cell of the root jobs' parfor descriptor."""
    rootcounts: int
    """One counter a root job: how often it has been executed, for the audit."""
    memstats: int
    ncpu: int = 1
    """Processors of the modelled machine, Go's `ncpu`: bounds the number of markers."""
    stackwords: int = 256
    heapminimum: int = 4 << 20
    """Bytes below which the heap is not collected for its size, at GOGC 100."""

    @classmethod
    def make(
        cls,
        machine: Machine,
        heap: Heap,
        *,
        markfor: int,
        ms: int,
        gs: int,
        ps: int = 0,
        data: int = 0,
        bss: int = 64,
        ncpu: int = 1,
        wbufsize: int = 256,
        countbits: int = 19,
        persistentchunk: int = 256 << 10,
        stackwords: int = 256,
        gcpercent: int = 100,
        heapminimum: int = 4 << 20,
    ) -> World:
        """A world with room for `ms` Ms, `gs` goroutines and `ps` Ps; `data` and `bss` are words, all pointers."""
        runtime = RUNTIME.allocate(machine, "runtime")
        machine.poke(runtime + RUNTIME.gcpercent, gcpercent % (1 << 64))
        return cls(
            machine=machine,
            work=WORK.allocate(machine, "work", align=8),
            wbufsize=wbufsize,
            countbits=countbits,
            persistentchunk=persistentchunk,
            heap=heap,
            sched=SCHED.allocate(machine, "sched"),
            runtime=runtime,
            gcphase=runtime + RUNTIME.gcphase,
            allgs=machine.alloc(gs, "allgs"),
            allm=machine.alloc(ms, "allm"),
            allp=machine.alloc(max(ms, ps), "allp"),
            data=Segment.make(machine, "data", data),
            bss=Segment.make(machine, "bss", bss),
            markfor=markfor,
            rootcounts=machine.alloc(gs + 5, "rootcounts", statistics=True),
            memstats=machine.alloc(MEMSTATS.size + 2 * PAUSES, "memstats", MEMSTATS.fields, statistics=True),
            ncpu=ncpu,
            stackwords=stackwords,
            heapminimum=heapminimum,
        )

    def newm(self, name: str, *, p: bool = True) -> int:
        """A further M, with a P of its own if `p`; returns its record."""
        machine = self.machine
        number = machine.peek(self.runtime + RUNTIME.allmlen)
        m = machine.alloc(MRECORD.size, name, MRECORD.fields, align=8)
        machine.poke(m + MRECORD.id, number)
        machine.poke(self.allm + number, m)
        machine.poke(self.runtime + RUNTIME.allmlen, number + 1)
        if p:
            at = self.newp()
            machine.poke(at + P.m, m)
            machine.poke(m + MRECORD.p, at)
            machine.poke(m + MRECORD.mcache, machine.peek(at + P.mcache))
        return m

    def newp(self) -> int:
        """A further P with an mcache, idle, and nobody's; returns its record."""
        machine = self.machine
        number = machine.peek(self.sched + SCHED.gomaxprocs)
        p = P.allocate(machine, f"p{number}")
        machine.poke(p + P.id, number)
        machine.poke(p + P.status, PIDLE)
        machine.poke(p + P.mcache, self.heap.allocate_mcache(machine, f"mcache{number}"))
        machine.poke(self.allp + number, p)
        machine.poke(self.sched + SCHED.gomaxprocs, number + 1)
        return p

    def newg(self, name: str, status: int = GRUNNABLE, stackwords: int = 0) -> int:
        """A further goroutine with an empty stack; returns its record."""
        machine = self.machine
        number = machine.peek(self.runtime + RUNTIME.allglen)
        g = G.allocate(machine, name)
        size = stackwords or self.stackwords
        stack = machine.alloc(size, f"{name}.stack")
        machine.poke(g + G.goid, number)
        machine.poke(g + G.status, status)
        machine.poke(g + G.stackbase, stack)
        machine.poke(g + G.stackend, stack + size)
        machine.poke(self.allgs + number, g)
        machine.poke(self.runtime + RUNTIME.allglen, number + 1)
        return g

    def records(self, array: int, count: int) -> list[int]:
        """The records in one of the tables `allgs`, `allm`, `allp`, read while no thread runs."""
        return [self.machine.peek(array + i) for i in range(count)]


@dataclass(frozen=True)
class Segment:
    """A block of global words: `n` of them from cell `base`, with a pointer bitmap at cell `mask` (data, bss)."""

    base: int
    n: int
    mask: int

    @classmethod
    def make(cls, machine: Machine, name: str, n: int) -> Segment:
        """`n` words, every one a pointer."""
        base = machine.alloc(max(n, 1), name)
        mask = machine.alloc(-(-max(n, 1) // 64), f"{name}.mask")
        for at, word in enumerate(bitmap(range(n), n)):
            machine.poke(mask + at, word)
        return cls(base, n, mask)

    def slot(self, i: int) -> int:
        """Byte address of word `i`."""
        return (self.base + i) * WORD


def bitmap(pointers: Iterable[int], n: int) -> list[int]:
    """The pointer bitmap of `n` words, 64 words a cell, lowest bit first; `pointers` are the numbers of pointer words."""
    cells = [0] * -(-n // 64)
    for i in pointers:
        cells[i >> 6] |= 1 << (i & 63)
    return cells
