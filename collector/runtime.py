"""The composition root: builds the class of an M from its parts, and a world of Ms on any machine.

The protocol is one class for each of Go's files, from `workbuf.local.Local` up; every class inherits what it uses.
`CollectorM` combines them into a complete M, `AuditedM` adds every audit.  A variant of the protocol is a subclass of
either with one method changed, passed here as `m`.  `Model` makes the heap, the world and the Ms; the caller runs them.

What the default corrects.  The default does what the seed commit does wherever that is sound.  Where it is not, Go's own
later fix is the default: collector/catalogue/corrections.toml lists them, with the modules that make them.  K-4, K-5, K-7,
K-9, K-17, K-20, K-21 and K-22 lose no object here; they are as in the seed.

What else differs from the seed.  The verifying mark is off unless asked for; the seed, a development version, has it on.
The harvest goes through the Ms from the oldest on; Go's allm begins with the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.audit.audited import Audited
from collector.cycle import Cycle
from collector.parfor import parforalloc
from collector.shade import Shade
from mutator.heap import Heap
from mutator.m import M
from mutator.world import GRUNNABLE, MAX_GCPROC, MRECORD, G, World
from workbuf.buffer import gcinit


if TYPE_CHECKING:
    from workbuf.machine import Machine


class CollectorM(Cycle, Shade, M):
    """An M: a mutator's program, its barrier and its assist; a helper's marking; the background collector's cycles."""


class AuditedM(Audited, CollectorM):
    """An M that audits every mark that it ends."""


@dataclass(frozen=True)
class Config:
    """Sizes of a model; the defaults are Go's or those of the stress run."""

    mutators: int = 4
    helpers: int = 2
    ncpu: int = 0
    """Go's ncpu: bounds the markers.  0 stands for helpers + 1."""
    gomaxprocs: int = 0
    """Ps: one for each mutator and for the collector's M, the rest idle.  0 stands for as many idle ones as there must be
    for all helpers to mark: it bounds the markers, too."""
    wbufsize: int = 256
    """Bytes in a workbuf."""
    countbits: int = 19
    gcpercent: int = 100
    arena: int = 1 << 29
    """Bytes of address space for the heap."""
    page_size: int = 8192
    data: int = 0
    """Words of the data segment."""
    bss: int = 64
    goroutines: int = 0
    """Parked goroutines beside those of the Ms."""
    stackwords: int = 256
    persistentchunk: int = 256 << 10
    heapminimum: int = 4 << 20
    checkmark: bool = False

    @property
    def ps(self) -> int:
        """How many Ps there are; ValueError for fewer than the Ms that run goroutines."""
        running = self.mutators + 1
        if 0 < self.gomaxprocs < running:
            raise ValueError(
                f"GOMAXPROCS {self.gomaxprocs}: each of {running} Ms that run goroutines has a P of its own"
            )
        return self.gomaxprocs or max(running, self.helpers + 1)

    @property
    def markers(self) -> int:
        """How many threads mark together when every helper lies idle."""
        return min(self.ps, self.ncpu or self.helpers + 1, self.helpers + 1, MAX_GCPROC)


class Model:
    """A world on a machine, its Ms made and nothing running.

    `gcm`, `mutators` and `helpers` are records of Ms; `m` is the class of which every thread makes its own object.
    """

    def __init__(self, machine: Machine, config: Config, m: type[CollectorM] = AuditedM) -> None:
        gcinit(config.wbufsize)
        self.machine = machine
        self.config = config
        self.m = m
        ms, ps = config.mutators + config.helpers + 1, config.ps
        self.world = World.make(
            machine,
            Heap.allocate(machine, config.arena, page_size=config.page_size, max_mcaches=max(ms, ps)),
            markfor=parforalloc(machine, MAX_GCPROC),
            ms=ms,
            gs=config.mutators + 1 + config.goroutines,
            ps=ps,
            data=config.data,
            bss=config.bss,
            ncpu=config.ncpu or config.helpers + 1,
            wbufsize=config.wbufsize,
            countbits=config.countbits,
            persistentchunk=config.persistentchunk,
            stackwords=config.stackwords,
            gcpercent=config.gcpercent,
            heapminimum=config.heapminimum,
        )
        self.gcm = self.newm("m0", "g0")
        self.mutators = [self.newm(f"m{i + 1}", f"g{i + 1}") for i in range(config.mutators)]
        for _ in range(config.mutators + 1, ps):
            self.world.newp()
        self.helpers = [self.world.newm(f"m{i}", p=False) for i in range(config.mutators + 1, ms)]

    def newm(self, name: str, gname: str) -> int:
        """An M with a P and a goroutine of its own."""
        m = self.world.newm(name)
        gp = self.world.newg(gname, GRUNNABLE)
        self.machine.poke(m + MRECORD.curg, gp)
        self.machine.poke(gp + G.m, m)
        return m
