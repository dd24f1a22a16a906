"""Safepoints: polls, system calls and blocking, where a mutator can be stopped, and how it stops.

(Go: newstack, gcstopm, entersyscall, exitsyscall, gopark, goready.)

Theory of operation.  Compiled code compares the stack pointer with `stackguard` on entry to every function; to stop a
goroutine the runtime poisons its guard.  `poll` is that comparison.  A poisoned guard leads to newstack, which either
scans its own stack, if the collector asked for that (`preemptscan`), or gives the P up and parks until the world starts.
A goroutine in a system call or blocked on a channel need not be stopped: its P is taken from it, and it waits for the P
when it comes back.

Guards.  I5: between two polls a mutator may hold a work buffer, at a poll never.  sched.lock covers `stopwait`,
`stopped` and every change of a P's status but running <-> syscall, which are single atomics.

Relied on.  The thread that makes `stopwait` 0 wakes `stopnote`, exactly once per stop.

Not modelled.  A stopped mutator's M acting as a marker: in Go it is an idle M like any other; here helpers are Ms of
their own.  Run queues, timers, the network poller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.goroutine import Goroutines
from mutator.hooks import Hooks
from mutator.stack import Stack
from mutator.world import (
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GSYSCALL,
    GWAITING,
    MRECORD,
    PGCSTOP,
    PIDLE,
    PRUNNING,
    PSYSCALL,
    RUNTIME,
    SCHED,
    STACK_PREEMPT,
    G,
    P,
)
from workbuf.events import Event
from workbuf.machine import MASK64, Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Safepoint(Goroutines, Stack, Hooks):
    """Polls, system calls and blocking for the M that has a goroutine of its own."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.sched = world.sched
        self.stackguard = self.curg + G.stackguard
        self.stopping = world.runtime + RUNTIME.stopping
        self.locks = 0
        """Depth of acquirem: not preemptible while positive.  Go's m.locks."""
        self.inwb = False
        """Inside a write barrier.  Go's m.inwb."""

    def poll(self) -> None:
        """A safepoint.  Pointers held only in Python variables are dead here: what must live is on the stack."""
        self.port.check()
        if self.port.hint(self.stackguard) == STACK_PREEMPT:
            self.newstack()

    def stop_requested(self) -> bool:
        """Has the run asked its programs to end?"""
        return self.port.hint(self.stopping) != 0

    def newstack(self) -> None:
        """Called at a poll when this goroutine was asked to stop or to scan itself."""
        if self.locks:
            raise Throw("newstack: preempted while holding locks")
        port, gp = self.port, self.curg
        self.casgstatus(gp, GRUNNING, GWAITING)
        # Only now: while we ran we could still be asked, and unpreempt would take back a request that we have not seen.
        if port.hint(gp + G.preemptscan):
            # The collector may see us waiting and scan us itself; then we wait for it and scan once more, which is
            # harmless (K-14).
            while not self.castogscanstatus(gp, GWAITING, GWAITING | GSCAN):
                port.pause(Pause.PROCYIELD, 1)
            self.gcphasework(gp)
            self.casfrom_Gscanstatus(gp, GWAITING | GSCAN, GWAITING)
            self.unpreempt(gp)
            self.casgstatus(gp, GWAITING, GRUNNING)
            return
        self.casgstatus(gp, GWAITING, GRUNNABLE)
        self.gcstopm()
        self.unpreempt(gp)
        self.casgstatus(gp, GRUNNABLE, GRUNNING)

    def unpreempt(self, gp: int) -> None:
        """Take every request back.  The goroutine does not run, and has looked at `preemptscan` since it last did.

        Only a running goroutine is asked to scan itself, so no such request is lost.  A request to stop that comes in
        meanwhile is, and is made again: stoptheworld repeats it.
        """
        post = self.port.post
        post(gp + G.preempt, 0)
        post(gp + G.preemptscan, 0)
        post(gp + G.stackguard, 0)

    def gcstopm(self) -> None:
        """Give the P up if the world is stopping, and have it again once the world starts."""
        port, words = self.port, self.port.words
        lock = self.sched + SCHED.lock
        port.lock(lock)
        if not port.load(self.sched + SCHED.gcwaiting):
            port.unlock(lock)
            return
        port.store(self.ownp + P.status, PGCSTOP)
        self.stopwait_done()
        words[self.record + MRECORD.stopped] = 1
        self.p = 0
        port.unlock(lock)
        self.stopm()

    def stopwait_done(self) -> None:
        """One P fewer to wait for; the caller holds sched.lock and has just moved its P to gcstop."""
        words = self.port.words
        # One too many is a count that is not 0, which stoptheworld sees, as where Go's goes below 0.
        words[self.sched + SCHED.stopwait] = words[self.sched + SCHED.stopwait] - 1 & MASK64
        if words[self.sched + SCHED.stopwait] == 0:
            self.port.wake(self.sched + SCHED.stopnote)

    def stopm(self) -> None:
        """Park until starttheworld gives this M its P, already running."""
        park = self.record + MRECORD.park
        self.port.event(Event.PARK, 1)
        self.port.sleep(park)
        self.port.words[park] = 0  # noteclear: the waker is done with it
        self.p = self.ownp
        self.port.event(Event.UNPARK)

    def acquirep(self) -> None:
        """Have this M's own P again after it was idle; waits if the world is stopped."""
        port = self.port
        lock = self.sched + SCHED.lock
        port.lock(lock)
        if port.load(self.ownp + P.status) == PIDLE and not port.load(self.sched + SCHED.gcwaiting):
            port.store(self.ownp + P.status, PRUNNING)
            self.p = self.ownp
            port.unlock(lock)
            return
        port.words[self.record + MRECORD.stopped] = 1
        port.unlock(lock)
        self.stopm()

    def releasep(self) -> None:
        """Let the P go idle, or stop it if the world is waiting for it."""
        port = self.port
        lock = self.sched + SCHED.lock
        self.p = 0
        port.lock(lock)
        if port.load(self.sched + SCHED.gcwaiting):
            port.store(self.ownp + P.status, PGCSTOP)
            self.stopwait_done()
        else:
            port.store(self.ownp + P.status, PIDLE)
        port.unlock(lock)

    def entersyscall(self) -> None:
        """From here until exitsyscall the M runs without a P that anybody waits for."""
        port, p = self.port, self.ownp
        self.p = 0
        self.casgstatus(self.curg, GRUNNING, GSYSCALL)
        port.event(Event.SYSCALL)
        port.store(p + P.status, PSYSCALL)
        # After the store: a stop that began before it did not see the P in a system call and waits for it (Go's
        # entersyscall_gcwait).
        if port.load(self.sched + SCHED.gcwaiting):
            lock = self.sched + SCHED.lock
            port.lock(lock)
            if port.words[self.sched + SCHED.stopwait] > 0 and port.cas(p + P.status, PSYSCALL, PGCSTOP):
                self.stopwait_done()
            port.unlock(lock)

    def exitsyscall(self) -> None:
        """Back from the system call: at once if the P is still there, else when the world starts."""
        blocked = not self.port.cas(self.ownp + P.status, PSYSCALL, PRUNNING)
        if blocked:
            self.acquirep()
        self.p = self.ownp
        self.port.event(Event.SYSCALL_END, int(blocked))
        self.casgstatus(self.curg, GSYSCALL, GRUNNING)

    def gopark(self, unlock: int, reason: int = 0) -> None:
        """Block this goroutine until goready; `unlock` is a lock it holds, released once it counts as waiting."""
        port, gp = self.port, self.curg
        park = self.record + MRECORD.park
        self.casgstatus(gp, GRUNNING, GWAITING)
        port.words[gp + G.waitsince] = port.now()
        port.event(Event.BLOCK, port.words[gp + G.goid], reason)
        # Before the unlock: from then on a partner may make us runnable and write to our stack, and it must find us
        # waiting.
        port.unlock(unlock)
        self.releasep()
        port.sleep(park)
        port.words[park] = 0
        self.acquirep()
        port.event(Event.BLOCK_END, port.words[gp + G.goid])
        self.casgstatus(gp, GRUNNABLE, GRUNNING)

    def goready(self, gp: int) -> None:
        """Make the waiting goroutine `gp` runnable and wake its M."""
        self.casgstatus(gp, GWAITING, GRUNNABLE)
        self.port.wake(self.port.words[gp + G.m] + MRECORD.park)

    def preemptone(self, gp: int) -> None:
        """Ask the goroutine `gp` to stop at its next poll."""
        self.port.post(gp + G.preempt, 1)
        self.port.post(gp + G.stackguard, STACK_PREEMPT)
