"""A collection cycle from start to end, concurrent or stopped.  (Go: gcwork, gcscan_m, gcmark_m, gogc, malloc.go, mgc.go.)

Theory of operation, concurrent:

    stop; phase scan; start       gcscan_m: every root once, one level deep, barriers off
    stop; phase mark, harvest; start    gcmark_m: one thread drains while mutators shade and assist
    stop                          gc: mark termination, with helpers
    start                         sweep, bit by bit

A stopped collection goes from the first stop straight to gc; asked to, it sweeps before the world starts again.

Guards.  I13.  What was scanned concurrently may have changed since: stacks and globals are scanned again in gc(), heap
objects are covered by the barrier.

What the default corrects.  The seed turns the barrier off between the last stop and gc() (K-2); here it stays on, as in
Go's d0eab03091, and the pools are cleared before the cycle.  worldsema is given up before the world starts, as in the seed
(K-17): nothing here changes GOMAXPROCS.

Not modelled.  A collection that goes on on another M (Go's throw "gogc: rescheduled"): a goroutine has one M for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.checkmark import Checkmark
from collector.gc import CycleStats
from mutator.heap import MSTATS
from mutator.phase import GCmark, GCscan
from mutator.world import GRUNNING, GWAITING, RUNTIME, G
from workbuf.events import Event
from workbuf.throw import Throw


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Cycle(Checkmark):
    """gcwork and the background collector, run by one M that has a P and a goroutine."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.numgc = 0

    def gogc(self, force: int) -> None:
        """Ask the background collector for a collection, with `force` as in gcwork, unless one is under way."""
        port, words = self.port, self.port.words
        lock = self.runtime + RUNTIME.bggc_lock
        port.lock(lock)
        if not port.load(self.working):
            words[self.runtime + RUNTIME.bggc_force] = force
            port.store(self.working, 1)
            port.wake(self.runtime + RUNTIME.bggc_note)
        port.unlock(lock)

    def waitwork(self, ns: int) -> bool:
        """The background collector's rest: until gogc asks for a cycle, `ns` at most.  True if it was asked for."""
        port = self.port
        lock = self.runtime + RUNTIME.bggc_lock
        port.sleep(self.runtime + RUNTIME.bggc_note, ns)
        port.lock(lock)
        # Under the lock: a request that came in since the sleep ended has woken the note, or will find us working.
        asked = port.load(self.working) != 0
        port.words[self.runtime + RUNTIME.bggc_note] = 0
        port.store(self.working, 1)
        port.unlock(lock)
        return asked

    def background(self, ns: int) -> bool:
        """One turn of the background collector: wait, collect, sweep.  True if the cycle was asked for, not timed."""
        asked = self.waitwork(ns)
        force = self.port.words[self.runtime + RUNTIME.bggc_force]
        self.gcwork(force)
        self.port.words[self.runtime + RUNTIME.bggc_force] = 0
        self.port.store(self.working, 0)
        self.bgsweep()
        return asked

    def bgsweep(self) -> None:
        """Sweep what mutators have left unswept, span by span, while they run."""
        while self.sweepone() >= 0:
            self.nbgsweep += 1
            self.port.check()

    def gcwork(self, force: int) -> None:
        """One collection: concurrent for force 0, stopped for 1, stopped and with the sweep in the same stop for 2."""
        port, stamp, eager = self.port, self.stamp, force > 1
        port.lock(self.runtime + RUNTIME.worldsema)
        self.numgc += 1
        self.cycle = CycleStats(number=self.numgc, concurrent=force == 0)
        port.words[self.runtime + RUNTIME.numgc] = self.numgc
        self.cycle.scanned_before = self.scannedtotal()
        self.cycle.heapstart = port.hint(self.mstats + MSTATS.heap_alloc)
        port.event(Event.CYCLE, self.numgc, force)
        self.bgsweep()
        # Go sweeps twice, and lets the cycle's clock begin between the two.
        stamp("sweepterm")
        self.bgsweep()
        self.clearpools()
        self.stoptheworld()
        self.cycle.npausesweep = self.finishsweep_m()
        self.forget_spans()
        if force == 0:
            self.setphase(GCscan)
            self.starttheworld()
            stamp("scan")
            self.gcscan_m()
            stamp("installmarkwb")
            self.stoptheworld()
            self.gcinstallmarkwb()
            self.cycle.harvested_mark = self.harvestwbufs()
            self.starttheworld()
            stamp("mark")
            self.gcmark_m()
            stamp("markterm")
            self.stoptheworld()
            self.gcinstalloffwb()
        else:
            stamp("markterm")
            for gp in self.allgs():
                port.post(gp + G.gcworkdone, 0)
                port.post(gp + G.gcscanvalid, 0)
        self.gc_m(eager=eager)
        self.gccheckmark_m(eager=eager)
        stamp("sweep")
        self.collected()
        port.unlock(self.runtime + RUNTIME.worldsema)
        self.starttheworld()
        port.event(Event.CYCLE_END, self.numgc)

    def stamp(self, name: str) -> None:
        """Note when a part of the cycle begins (Go's gctimer)."""
        self.cycle.stamps[name] = self.nanotime()

    def clearpools(self) -> None:
        """Drop what is cached beside the heap: nothing in this model has pools.  Before the cycle, not inside it (K-2)."""

    def gcinstallmarkwb(self) -> None:
        """Turn the write barrier on.  The world is stopped."""
        self.setphase(GCmark)

    def gcinstalloffwb(self) -> None:
        """The seed turns the barrier off here, until gc() begins; by default it stays on (K-2)."""

    def gcscan_m(self) -> None:
        """Scan every root once, one level deep, while the world runs without barriers."""
        port = self.port
        gp = self.curg
        # The collector's goroutine is scanned like any other, so it must not count as running meanwhile.
        self.casgstatus(gp, GRUNNING, GWAITING)
        port.lock(self.runtime + RUNTIME.allglock)
        gs = self.allgs()
        for other in gs:
            port.post(other + G.gcworkdone, 0)
            port.post(other + G.gcscanvalid, 0)
        port.unlock(self.runtime + RUNTIME.allglock)
        self.resetwork(1)
        self.readcheckmark()
        self.setuproots(1)
        self.parfordo(self.world.markfor, self.markroot)
        for other in gs:
            if not port.hint(other + G.gcworkdone):
                raise Throw("scan missed a g")
        self.rootsscanned()
        self.casgstatus(gp, GWAITING, GRUNNING)

    def rootsscanned(self) -> None:
        """Called when the scan phase has executed its root jobs: the place to check that each ran once (I12)."""

    def gcmark_m(self) -> None:
        """Drain what is known about, one thread, while mutators shade and assist.

        Ends when this thread finds full empty; assists may still hold work, which the stop that follows waits for (K-4).
        """
        if self.scanblock(0, 0, 0, 0):
            raise Throw("gcmark_m did not extinguish wbuf")

    def gc_m(self, *, eager: bool = False) -> None:
        """gc() with this M's goroutine counted as waiting, so that its stack can be scanned."""
        gp = self.curg
        self.casgstatus(gp, GRUNNING, GWAITING)
        self.gc(eager=eager)
        self.casgstatus(gp, GWAITING, GRUNNING)

    def collected(self) -> None:
        """Called once a cycle, still in the stopped world, the sweep armed: the place to report."""
