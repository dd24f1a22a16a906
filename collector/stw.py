"""Stopping and starting the world: all mutators.  (Go: stoptheworld, starttheworld, preemptall, proc1.go.)

Theory of operation.  The stopper announces `gcwaiting`, takes its own P and those that are idle or in system calls, asks
every running goroutine to stop, and sleeps until the last P is in gcstop, asking again every 100 us.  Starting hands each
M that parked its P back, running, and leaves the other Ps idle for their Ms to pick up.

Guards.  I13: the phase changes only in here.  I5: when stoptheworld returns, no M with a P is between two safepoints.
It does not wait for Ms in system calls or without a P; they may run, but may not write pointers (K-1).

Not modelled.  needaddgcproc (a further idle M for the next collection); GOMAXPROCS changes.
"""

from __future__ import annotations

from mutator.safepoint import Safepoint
from mutator.world import MRECORD, PGCSTOP, PIDLE, PRUNNING, PSYSCALL, RUNTIME, SCHED, P
from workbuf.events import Event
from workbuf.throw import Throw


PREEMPT_AGAIN_NS = 100_000


class StopTheWorld(Safepoint):
    """stoptheworld and starttheworld, for the M that holds worldsema."""

    def allgs(self) -> list[int]:
        """Every goroutine."""
        words = self.port.words
        return [words[self.world.allgs + i] for i in range(words[self.runtime + RUNTIME.allglen])]

    def allms(self) -> list[int]:
        """Every M."""
        words = self.port.words
        return [words[self.world.allm + i] for i in range(words[self.runtime + RUNTIME.allmlen])]

    def procs(self) -> list[int]:
        """Every P."""
        words = self.port.words
        return [words[self.world.allp + i] for i in range(words[self.sched + SCHED.gomaxprocs])]

    def stoptheworld(self) -> None:
        """Return once no M but this one holds a running P."""
        port, words, sched = self.port, self.port.words, self.sched
        if self.locks:
            raise Throw("stoptheworld: holding locks")
        port.lock(sched + SCHED.lock)
        words[sched + SCHED.stopwait] = words[sched + SCHED.gomaxprocs]
        port.store(sched + SCHED.gcwaiting, 1)
        self.preemptall()
        port.store(self.ownp + P.status, PGCSTOP)
        words[sched + SCHED.stopwait] -= 1
        waitedfor = 0
        for p in self.procs():
            # An atomic each: the M may be leaving its system call at this very moment.
            if port.cas(p + P.status, PSYSCALL, PGCSTOP) or port.cas(p + P.status, PIDLE, PGCSTOP):
                words[sched + SCHED.stopwait] -= 1
            elif p != self.ownp:
                waitedfor |= 1 << words[p + P.id]
        waiting = words[sched + SCHED.stopwait]
        port.event(Event.STOP, waiting, waitedfor)
        port.unlock(sched + SCHED.lock)
        again = 0
        if waiting:
            while not port.sleep(sched + SCHED.stopnote, PREEMPT_AGAIN_NS):
                again += 1
                self.preemptall()
            words[sched + SCHED.stopnote] = 0
        if words[sched + SCHED.stopwait]:
            raise Throw("stoptheworld: not stopped")
        for p in self.procs():
            if port.load(p + P.status) != PGCSTOP:
                raise Throw("stoptheworld: not stopped")
        port.event(Event.STOPPED, again)

    def preemptall(self) -> None:
        """Ask every running goroutine but ours to stop at its next poll."""
        words = self.port.words
        for p in self.procs():
            if p != self.ownp and self.port.load(p + P.status) == PRUNNING:
                self.preemptone(words[words[p + P.m] + MRECORD.curg])

    def starttheworld(self) -> None:
        """Let everybody go on."""
        port, words, sched = self.port, self.port.words, self.sched
        port.lock(sched + SCHED.lock)
        port.store(sched + SCHED.gcwaiting, 0)
        port.event(Event.START)  # before the first is woken: by the clock, whatever it does comes after
        for p in self.procs():
            m = words[p + P.m]  # 0: a P that no M has ever taken
            if m and words[m + MRECORD.stopped]:
                words[m + MRECORD.stopped] = 0
                port.store(p + P.status, PRUNNING)
                port.wake(m + MRECORD.park)
            else:
                port.store(p + P.status, PRUNNING if p == self.ownp else PIDLE)
        port.unlock(sched + SCHED.lock)
