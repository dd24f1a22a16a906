"""Stack scanning, and the scan bit that protects a stack.  (Go: scanstack, scanframeworker, stopg, restartg, gcphasework.)

Theory of operation.  The holder of a goroutine's scan bit may scan its stack.  stopg takes the bit of a goroutine
that does not run and scans it on the spot; a running one it asks to scan itself at its next poll.  In the scan phase the
buffer that results is left in the cache of the M that did the scan, so a goroutine that scanned itself leaves its roots
on its own M; in mark termination everything found is scanned to the end and nothing is left.

Guards.  gcworkdone: this goroutine is done for this phase; set by the scanner while it holds the bit.

What the default corrects.  The seed retries only waiting and runnable goroutines, and so spins for as long as a
goroutine that it had asked to scan itself stays in a system call (O-11), or runs on without having seen the request
(K-14); and it leaves a request standing that it has meanwhile fulfilled itself, so that the goroutine scans itself in
some later phase (O-12).  Go's scang (3c60e6e8cf) does none of this, nor do we.

Not modelled.  Shrinking stacks; traceback of untyped frames; g0, on which Go runs all this: so there is no throw "can't
scan our own stack", which in Go means that a goroutine scans itself without having changed to g0.
"""

from __future__ import annotations

from collector.grey import Grey
from mutator.goroutine import Goroutines, status_name
from mutator.phase import GCmark, GCmarktermination, GCoff, GCquiesce, GCscan, GCstw, GCsweep
from mutator.stack import FRAME, Stack
from mutator.world import GCOPYSTACK, GDEAD, GRUNNABLE, GRUNNING, GSCAN, GSYSCALL, GWAITING, MRECORD, STACK_PREEMPT, G
from workbuf.events import Event
from workbuf.machine import WORD, Pause
from workbuf.throw import Throw, println


class StackScan(Grey, Goroutines, Stack):
    """Stack scanning by the holder of the scan bit."""

    def gcphasework(self, gp: int) -> None:
        """What the phase asks of a stopped goroutine; the caller holds its scan bit."""
        phase = self.port.words[self.gcphase]
        if phase in (GCscan, GCmarktermination):
            self.scanstack(gp)
        elif phase not in (GCoff, GCquiesce, GCstw, GCsweep, GCmark):
            raise Throw("gcphasework in bad gcphase")
        self.port.post(gp + G.gcworkdone, 1)

    def scanstack(self, gp: int) -> None:
        """Scan the stack of `gp`, whose scan bit the caller holds, through this M's cached buffer and back into it."""
        port, words = self.port, self.port.words
        if port.hint(gp + G.gcscanvalid):
            return
        status = self.readgstatus(gp)
        line = println("runtime:scanstack: gp=", gp, ", goid=", words[gp + G.goid], ", status=", status_name(status))
        if not status & GSCAN:
            raise Throw("scanstack - bad status", line)
        if status & ~GSCAN == GDEAD:
            return
        if status & ~GSCAN == GRUNNING:
            raise Throw("scanstack: goroutine not stopped", line)
        if status & ~GSCAN not in (GRUNNABLE, GSYSCALL, GWAITING):
            raise Throw("mark - bad status", line)
        m = words[gp + G.m]
        if m and port.hint(m + MRECORD.helpgc):
            raise Throw("can't scan gchelper stack", line)
        wbuf = self.takecached()
        frames = 0
        for frame in self.frames(gp):
            wbuf = self.scanframeworker(frame, wbuf)
            frames += 1
        port.event(Event.SCANSTACK, words[gp + G.goid], frames)
        if self.cache(wbuf):
            raise Throw("wbuf not nil after stack scans")
        port.post(gp + G.gcscanvalid, 1)

    def scanframeworker(self, frame: int, wbuf: int) -> int:
        """Scan one frame, locals then arguments; takes and returns a buffer as scanblock does."""
        words = self.port.words
        if words[frame + FRAME.continpc] == 0:
            return wbuf  # a dead frame
        nlocals, nargs = words[frame + FRAME.nlocals], words[frame + FRAME.nargs]
        first = frame + FRAME.size
        for what, at, n, mask in (
            ("locals", first, nlocals, words[frame + FRAME.localsmask]),
            ("args", first + nlocals, nargs, words[frame + FRAME.argsmask]),
        ):
            if n:
                if not mask:
                    line = println("runtime: frame", frame, "untyped", what, f"{at * WORD:#x}+{n * WORD:#x}")
                    raise Throw("missing stackmap", line)
                wbuf = self.scanblock(at * WORD, n * WORD, mask, wbuf)
        return wbuf

    def stopg(self, gp: int) -> bool:
        """Scan `gp` or ask it to scan itself; True if this M now holds the scan bit and must give it back (restartg)."""
        port = self.port
        while not port.hint(gp + G.gcworkdone):
            status = self.readgstatus(gp)
            if status == GDEAD or status & GSCAN:
                return False
            if status in (GRUNNABLE, GSYSCALL, GWAITING):
                if self.castogscanstatus(gp, status, status | GSCAN):
                    self.gcphasework(gp)
                    return True
            elif status == GRUNNING:
                if self.castogscanstatus(gp, GRUNNING, GRUNNING | GSCAN):
                    # Under the bit, so that the goroutine can neither block nor have scanned itself between our look at
                    # it and the request, which would then stand until some later phase (O-12).
                    if not port.hint(gp + G.gcworkdone):
                        port.post(gp + G.preemptscan, 1)
                        port.post(gp + G.preempt, 1)
                        port.post(gp + G.stackguard, STACK_PREEMPT)
                    self.casfrom_Gscanstatus(gp, GRUNNING | GSCAN, GRUNNING)
                return False
            elif status != GCOPYSTACK:
                raise Throw("stopg: gp->atomicstatus is not valid", println("goid", port.words[gp + G.goid], status))
            port.pause(Pause.PROCYIELD, 1)
        return False

    def restartg(self, gp: int) -> None:
        """Give back the scan bit that stopg took."""
        status = self.readgstatus(gp)
        if status == GDEAD:
            return
        if status not in (GRUNNABLE | GSCAN, GSYSCALL | GSCAN, GWAITING | GSCAN):
            raise Throw(
                "restartg: unexpected status", println("goid", self.port.words[gp + G.goid], status_name(status))
            )
        self.casfrom_Gscanstatus(gp, status, status & ~GSCAN)

    def scangoroutine(self, gp: int) -> None:
        """The goroutine's part of markroot: return when its stack has been scanned for this phase."""
        port = self.port
        port.post(gp + G.gcworkdone, int(self.readgstatus(gp) == GDEAD))
        restart = self.stopg(gp)
        while not port.hint(gp + G.gcworkdone):
            # In whatever state it is by now: a request that it never saw, or that was taken back, must not keep us here.
            status = self.readgstatus(gp)
            if status == GDEAD:
                port.post(gp + G.gcworkdone, 1)
            elif status != GRUNNING or not self.asked(gp):
                restart = self.stopg(gp)
            port.pause(Pause.PROCYIELD, 20)
        if restart:
            port.post(gp + G.preemptscan, 0)
            self.restartg(gp)

    def asked(self, gp: int) -> bool:
        """Does the request to scan itself stand that stopg has made of the running `gp`?"""
        hint = self.port.hint
        return hint(gp + G.preemptscan) != 0 and hint(gp + G.stackguard) == STACK_PREEMPT
