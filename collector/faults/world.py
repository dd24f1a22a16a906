"""Faults of the cycle, of the stop of the world, of helpers and of blocked goroutines."""

from __future__ import annotations

from collector.cycle import Cycle
from collector.faults.fault import Fault
from collector.gc import MarkTermination
from collector.helper import Helper
from mutator.heap import HeapLocal
from mutator.phase import GCoff, GCscan
from mutator.safepoint import Safepoint
from mutator.stack import FRAME
from mutator.world import GRUNNING, GSYSCALL, PIDLE, PRUNNING, PSYSCALL, SCHED, G, P
from mutator.writebarrier import Writebarrier
from workbuf.events import Event
from workbuf.local import WORK
from workbuf.machine import WORD


class NotReset(MarkTermination):
    """The termination barrier is not reset: everybody already waits when the next mark begins."""

    def resetwork(self, nproc: int) -> None:
        """Nproc only."""
        self.port.words[self.work + WORK.nproc] = nproc


class AlldoneUncleared(Cycle):
    """The note of the last helper is not cleared, so the next collection does not wait for its helpers."""

    def helpgc(self, nproc: int) -> None:
        """As the note would be, from the second mark with helpers on."""
        self.port.words[self.work + WORK.alldone] = int(self.numgc > 1)
        super().helpgc(nproc)


class RootsOnlyHelper(Helper):
    """A helper executes root jobs and does not drain: its share of the barrier is never counted in."""

    def gchelper(self) -> None:
        """Roots, count."""
        port, work = self.port, self.world.work
        self.gchelperstart()
        self.parfordo(self.world.markfor, self.markroot)
        nproc = port.words[work + WORK.nproc]
        if port.xadd(work + WORK.ndone, 1) == nproc - 1:
            port.wake(work + WORK.alldone)


class NdoneEarly(RootsOnlyHelper):
    """A helper counts itself done before it has drained."""

    def gchelper(self) -> None:
        """Roots, count, drain."""
        super().gchelper()
        if self.port.words[self.gcphase] != GCscan:
            self.scanblock(0, 0, 0, 0)


class UnsweptMark(HeapLocal):
    """The mark begins although spans of the last cycle are unswept."""

    def finishsweep_m(self) -> int:
        """Nothing."""
        return 0


class NoDrain(Cycle):
    """The concurrent mark drains nothing."""

    def gcmark_m(self) -> None:
        """Leave all of it to mark termination."""


class BarrierOffBetween(Cycle):
    """The phase is off between the last stop and mark termination, as in the seed."""

    def gcinstalloffwb(self) -> None:
        """Off."""
        self.setphase(GCoff)


class UncheckedReturn(Safepoint):
    """A return from a system call takes the P back without looking whether a stop has taken it."""

    def exitsyscall(self) -> None:
        """Running, whatever the P is."""
        self.port.store(self.ownp + P.status, PRUNNING)
        self.p = self.ownp
        self.port.event(Event.SYSCALL_END, 0)
        self.casgstatus(self.curg, GSYSCALL, GRUNNING)


class UncheckedEntry(Safepoint):
    """A goroutine that enters a system call does not look whether a stop is waiting for its P."""

    def entersyscall(self) -> None:
        """Without the second look."""
        self.p = 0
        self.casgstatus(self.curg, GRUNNING, GSYSCALL)
        self.port.event(Event.SYSCALL)
        self.port.store(self.ownp + P.status, PSYSCALL)


class StopForgotten(Safepoint):
    """A goroutine that gives its P up does not tell a stop that waits for it."""

    def releasep(self) -> None:
        """Idle, whatever there is to be told."""
        port, lock = self.port, self.sched + SCHED.lock
        self.p = 0
        port.lock(lock)
        port.store(self.ownp + P.status, PIDLE)
        port.unlock(lock)


class StopOverlooked(Safepoint):
    """A poll scans its own stack if asked, and otherwise goes on although the world is to stop."""

    def gcstopm(self) -> None:
        """Nothing."""


class SendUnshaded(Writebarrier):
    """A send into the stack of a blocked goroutine has no barrier, and that stack counts as scanned."""

    def sendbarrier(self, dst: int, src: int) -> None:
        """The store alone."""
        self.port.post(dst // WORD, src)


class BarrierWithoutP(Writebarrier):
    """A return from a system call stores a pointer with a barrier before it has its P back: no stop waits for it."""

    def writebarrier_needs_p(self, src: int) -> None:
        """It needs none."""

    def exitsyscall(self) -> None:
        """Publish what the goroutine holds in its first stack slot, in the last word of bss; then the P."""
        words = self.port.words
        held = words[words[self.curg + G.frame] + FRAME.size]
        if held and self.inheap(held):
            self.writebarrierptr(self.world.bss.slot(self.world.bss.n - 1), held)
        super().exitsyscall()


FAULTS = (
    Fault("barrier-not-reset", NotReset, bugs=("O-10",)),
    Fault("alldone-uncleared", AlldoneUncleared),
    Fault("ndone-early", NdoneEarly),
    Fault("helper-does-not-drain", RootsOnlyHelper),
    Fault(
        "sweep-unfinished",
        UnsweptMark,
        unseen="bgsweep has swept everything before the stop, and nobody is stopped while sweeping a span",
    ),
    Fault("no-concurrent-drain", NoDrain, unseen="mark termination marks what is left; it only takes longer"),
    Fault(
        "barrier-off-between",
        BarrierOffBetween,
        bugs=("K-2",),
        equivalent="the world is stopped, and this model has no pools that are cleared then",
    ),
    Fault("syscall-return-unchecked", UncheckedReturn),
    Fault("syscall-entry-unchecked", UncheckedEntry, unseen="the stop waits until the system call ends, and it ends"),
    Fault("release-untold", StopForgotten),
    Fault("stop-overlooked", StopOverlooked),
    Fault("send-unshaded", SendUnshaded, bugs=("K-16",)),
    Fault("barrier-without-p", BarrierWithoutP, bugs=("K-1",)),
)
