"""Mark termination, the phase that finishes marking while the world is stopped.  (Go: gc, gcinit, mgc.go.)

Theory of operation.  Phase to mark termination; wake the helpers; harvest the caches; run the root jobs together; drain
until the barrier ends it; phase to off; join the helpers; hand the heap to the sweeper.

Guards.  I7: at the end full, partial and every cache are empty (Go checks the first two; O-1 is what the third would have
shown, and the audit checks it).  I13: the phase is changed here, in the stopped world, and nowhere else but in cycle.py.

Relied on.  The phase goes off before the helpers are joined; what they still do reads no phase (O-25).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.harvest import Harvest
from collector.helper import Helper
from collector.memstats import Memstats
from collector.parfor import PARFOR, STATISTICS
from mutator.heap import MSTATS, SPAN, SPAN_IN_USE
from mutator.phase import GCmarktermination, GCoff
from mutator.world import MRECORD, RUNTIME, G
from workbuf.events import Event
from workbuf.local import MLOCAL, WORK
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterator

    from mutator.world import World
    from workbuf.machine import Port

GCSTATS = ("nhandoff", "nhandoffcnt", "nprocyield", "nosyield", "nsleep")


@dataclass
class CycleStats:
    """The statistics of one mark; times are the port's clock, in ns."""

    number: int = 0
    concurrent: bool = False
    stamps: dict[str, int] = field(default_factory=dict)
    """Go's gctimer (sweepterm, scan, installmarkwb, mark, markterm, sweep) and t0..t4 of the gctrace line."""
    nproc: int = 0
    """Markers of mark termination: the master and its helpers."""
    scanned: list[int] = field(default_factory=list)
    """Objects that each of them has scanned there, the master first."""
    heap0: int = 0
    """Bytes: an estimate of what the last cycle left (Go's heap0)."""
    heapstart: int = 0
    """Bytes allocated when the cycle began."""
    heap1: int = 0
    """Bytes allocated when the mark ended."""
    goal: int = 0
    """Bytes at which this cycle should have been done."""
    nmalloc: int = 0
    nfree: int = 0
    goroutines: int = 0
    spans: int = 0
    nbgsweep: int = 0
    npausesweep: int = 0
    harvested_mark: int = 0
    harvested_markterm: int = 0
    gcstats: dict[str, int] = field(default_factory=dict)
    """The five counters, those of the Ms and of parfor together, and nsteal, nstealcnt."""
    scanned_before: int = 0
    """Objects scanned by all Ms since the run began, when the cycle began; so the next two."""
    scanned_markterm: int = 0
    scanned_after: int = 0


class MarkTermination(Helper, Harvest, Memstats):
    """gc(): the mark that ends a cycle."""

    def nanotime(self) -> int:
        """For the cycle's stamps."""
        return self.port.now()

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.cycle = CycleStats()
        self.nbgsweep = 0
        """Spans swept in the background since the last mark (Go's sweep.nbgsweep)."""
        self.checkmark_enabled = False

    def setphase(self, phase: int) -> None:
        """Change the phase.  The world is stopped (I13)."""
        words = self.port.words
        self.port.event(Event.PHASE, phase, words[self.gcphase])
        words[self.gcphase] = phase

    def resetwork(self, nproc: int) -> None:
        """Open the termination barrier for `nproc` participants.  Without this the next getfull never ends (O-10)."""
        words, work = self.port.words, self.world.work
        words[work + WORK.nwait] = 0
        words[work + WORK.ndone] = 0
        words[work + WORK.nproc] = nproc

    def gc(self, *, eager: bool = False) -> None:
        """Mark everything reachable, and sweep at once if `eager`.

        The world is stopped, and this M's goroutine may be scanned.
        """
        port, words, work = self.port, self.port.words, self.world.work
        verifying = words[self.runtime + RUNTIME.checkmarkphase]
        # The verifying mark's figures are thrown away: the cycle reports those of the first mark.
        stats, now = CycleStats() if verifying else self.cycle, self.nanotime
        stats.stamps["t0"] = now()
        stats.scanned_markterm = self.scannedtotal()
        before = self.scannedbym()
        self.setphase(GCmarktermination)
        stats.stamps["t1"] = now()
        if not verifying:
            stats.npausesweep += self.finishsweep_m()
        self.snapshotspans()
        nproc = self.gcprocs()
        self.helping = []
        self.resetwork(nproc)
        gs = self.allgs()
        for gp in gs:
            port.post(gp + G.gcworkdone, 0)
        self.setuproots(nproc)
        if nproc > 1:
            words[work + WORK.alldone] = 0  # noteclear
            self.helpgc(nproc)
        stats.stamps["t2"] = now()
        stats.harvested_markterm = self.harvestwbufs()
        self.gchelperstart()
        self.parfordo(self.world.markfor, self.markroot)
        if self.scanblock(0, 0, 0, 0):
            raise Throw("gc does not extinguish wbuf")
        if port.load(work + WORK.full) != 0:
            raise Throw("work.full != 0")
        if port.load(work + WORK.partial) != 0:
            raise Throw("work.partial != 0")
        self.setphase(GCoff)
        stats.stamps["t3"] = now()
        if nproc > 1:
            port.sleep(work + WORK.alldone)
        after = self.scannedbym()
        stats.nproc = nproc
        stats.scanned = [after[m] - before[m] for m in (self.record, *self.helping)]
        stats.goroutines = len(gs)
        stats.spans = sum(1 for _ in self.allspans())
        if not verifying:
            stats.nbgsweep, self.nbgsweep = self.nbgsweep, 0
        self.afterm(stats)
        stats.stamps["t4"] = now()
        if not verifying:
            self.recordpause(stats.stamps["t4"] - stats.stamps["t0"], stats.stamps["t4"])
        self.marked()
        if self.checkmark_enabled:
            if not verifying:
                return  # gccheckmark_m marks once more before the sweeper may have the heap
            words[self.runtime + RUNTIME.checkmarkphase] = 0
        self.arm_sweep()
        if eager:
            self.cycle.npausesweep += self.finishsweep_m()

    def spansinuse(self) -> Iterator[int]:
        """The spans of the snapshot that hold objects, all of them out of the mcaches.  The world is stopped."""
        words = self.port.words
        return (span for span in self.allspans() if words[span + SPAN.state] == SPAN_IN_USE)

    def afterm(self, stats: CycleStats) -> None:
        """Collect the statistics of the Ms, check those of the heap and set the next goal."""
        words = self.port.words
        self.updatememstats(stats)
        stats.scanned_after = self.scannedtotal()
        stats.goal = words[self.mstats + MSTATS.next_gc]
        stats.heap0 = stats.goal * 100 // (self.gcpercent() + 100)
        stats.heap1 = words[self.mstats + MSTATS.heap_alloc]
        heap = sum(words[span + SPAN.counted] * words[span + SPAN.elemsize] for span in self.spansinuse())
        if stats.heap1 != heap:
            raise Throw("mstats skew", f"runtime: mstats skew: heap={stats.heap1}/{heap}")
        words[self.mstats + MSTATS.next_gc] = self.nextgoal(stats.heap1)

    def gcpercent(self) -> int:
        """GOGC: how much the heap may grow, in percent; a negative one (off) counts as 100 for the goal."""
        percent = self.port.words[self.runtime + RUNTIME.gcpercent]
        return percent if percent < 1 << 63 else 100

    def nextgoal(self, heap: int) -> int:
        """The heap size in bytes at which the next cycle should be done; Go's least is 4 MiB, whatever GOGC says."""
        return max(heap + heap * self.gcpercent() // 100, self.world.heapminimum)

    def updatememstats(self, stats: CycleStats) -> None:
        """Sum the Ms' and parfor's counters into `stats` and zero the Ms'."""
        words = self.port.words
        totals = stats.gcstats
        for m in self.allms():
            for name in GCSTATS:
                at = m + MLOCAL.offsets[name]
                totals[name] = totals.get(name, 0) + words[at]
                words[at] = 0
        for name in STATISTICS:
            totals[name] = totals.get(name, 0) + words[self.world.markfor + PARFOR.offsets[name]]
        stats.nmalloc = words[self.mstats + MSTATS.nmalloc]
        stats.nfree = words[self.mstats + MSTATS.nfree]

    def scannedtotal(self) -> int:
        """Objects that all Ms have scanned since the run began."""
        return sum(self.scannedbym().values())

    def scannedbym(self) -> dict[int, int]:
        """Objects that each M has scanned since the run began, by its record."""
        words = self.port.words
        words[self.record + MRECORD.scanned] = self.scanned
        return {m: words[m + MRECORD.scanned] for m in self.allms()}

    def marked(self) -> None:
        """Called in the stopped world when a mark is complete and nothing swept yet: the place for an audit."""
