"""Helpers: idle Ms that take part in mark termination.  (Go: gcprocs, helpgc, gchelper, gchelperstart, stopm, proc1.go.)

Theory of operation.  An M with nothing to do sleeps on the list of idle Ms.  helpgc takes as many off the list as there are
to be markers besides the master, numbers them and wakes them.  Each helper executes root jobs, then drains until the
termination barrier ends the mark, increments `ndone`, and returns to the idle list.  The last one wakes the master.

Guards.  I11: `ndone` counts helpers only, at most nproc - 1.  A helper reads nproc BEFORE it increments `ndone`: the master
may begin a new collection right after the last increment.

Not modelled.  Lending a P's mcache to a helper: a marker does not allocate.  Stopped mutators' Ms as helpers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.roots import Roots
from collector.stw import StopTheWorld
from mutator.phase import GCscan
from mutator.world import MAX_GCPROC, MRECORD, SCHED
from workbuf.events import Event
from workbuf.local import WORK
from workbuf.throw import Throw


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Helper(Roots, StopTheWorld):
    """gchelper, and the idle list it comes from."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.helping: list[int] = []
        """The helpers of the last mark that this M was master of, in the order of their numbers."""

    def gcprocs(self) -> int:
        """Threads that will mark: the caller and as many idle Ms as Ps, processors and Go's limit allow."""
        words = self.port.words
        lock = self.sched + SCHED.lock
        self.port.lock(lock)
        n = min(
            words[self.sched + SCHED.gomaxprocs],
            self.world.ncpu,
            MAX_GCPROC,
            words[self.sched + SCHED.nmidle] + 1,
        )
        self.port.unlock(lock)
        return n

    def helpgc(self, nproc: int) -> None:
        """Wake `nproc - 1` idle Ms as helpers."""
        port, words, sched = self.port, self.port.words, self.sched
        port.lock(sched + SCHED.lock)
        for n in range(1, nproc):
            m = words[sched + SCHED.midle]
            if not m:
                raise Throw("gcprocs inconsistency")
            words[sched + SCHED.midle] = words[m + MRECORD.schedlink]
            words[sched + SCHED.nmidle] -= 1
            self.helping.append(m)
            port.post(m + MRECORD.helpgc, n)
            port.wake(m + MRECORD.park)
        port.unlock(sched + SCHED.lock)

    def gchelperstart(self) -> None:
        """Checks before an M marks, and what it must know for this mark."""
        helper = self.port.hint(self.record + MRECORD.helpgc)
        if helper >= MAX_GCPROC:
            raise Throw("gchelperstart: bad m->helpgc")
        if helper and self.curg:
            raise Throw("gchelper not running on g0 stack")
        self.forget_spans()
        self.readcheckmark()

    def gchelper(self) -> None:
        """Take part in the mark as a helper."""
        port, work = self.port, self.world.work
        before = self.scanned
        port.event(Event.HELP, port.hint(self.record + MRECORD.helpgc))
        self.gchelperstart()
        self.parfordo(self.world.markfor, self.markroot)
        if port.words[self.gcphase] != GCscan and self.scanblock(0, 0, 0, 0):
            raise Throw("gchelper did not extinguish wbuf")
        port.event(Event.HELP_END, self.scanned - before)
        # Before the count: after the last helper's the master may start over with another nproc.
        nproc = port.words[work + WORK.nproc]
        if port.xadd(work + WORK.ndone, 1) == nproc - 1:
            port.wake(work + WORK.alldone)

    def idlem(self) -> None:
        """The life of an M without a P: asleep on the idle list, now and then a helper (Go's stopm)."""
        port, words, sched = self.port, self.port.words, self.sched
        park = self.record + MRECORD.park
        while True:
            port.lock(sched + SCHED.lock)
            if words[self.record + MRECORD.exiting]:
                port.unlock(sched + SCHED.lock)
                return
            words[self.record + MRECORD.schedlink] = words[sched + SCHED.midle]
            words[sched + SCHED.midle] = self.record
            words[sched + SCHED.nmidle] += 1
            port.unlock(sched + SCHED.lock)
            port.event(Event.PARK)
            port.sleep(park)
            words[park] = 0
            port.event(Event.UNPARK)
            if port.hint(self.record + MRECORD.helpgc):
                self.gchelper()
                port.post(self.record + MRECORD.helpgc, 0)

    def dismissidle(self) -> None:
        """Send every idle M home: the run is over.  Those still on their way to the list see it when they get there."""
        port, words, sched = self.port, self.port.words, self.sched
        port.lock(sched + SCHED.lock)
        for m in self.allms():
            words[m + MRECORD.exiting] = 1
        m = words[sched + SCHED.midle]
        words[sched + SCHED.midle] = words[sched + SCHED.nmidle] = 0
        while m:
            port.wake(m + MRECORD.park)
            m = words[m + MRECORD.schedlink]
        port.unlock(sched + SCHED.lock)
