"""Goroutine status and who may touch a stack.  (Go: castogscanstatus, casfrom_Gscanstatus, casgstatus, proc1.go.)

Theory of operation.  A goroutine's status word is also the lock of its stack: setting the scan bit (castogscanstatus)
acquires it and may fail, clearing it (casfrom_Gscanstatus) releases it and must not; a change of status without the bit
(casgstatus) waits while somebody holds it.

Guards.  `gcscanvalid` says that the goroutine has not run since its stack was last scanned.  It is cleared after the change
to running, never before: a scan in between would set it again although the goroutine is about to run (K-15).

Not modelled.  The seed's assertion on gcscanvalid in castogscanstatus, which reads a field that the reader does not own
and can throw in a correct run (K-15, O-12).
"""

from __future__ import annotations

from mutator.world import (
    GCOPYSTACK,
    GDEAD,
    GENQUEUE,
    GIDLE,
    GMORIBUND,
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GSYSCALL,
    GWAITING,
    G,
)
from workbuf.local import Local
from workbuf.machine import Pause
from workbuf.throw import Throw, println


STATUS_NAMES = {
    GIDLE: "idle",
    GRUNNABLE: "runnable",
    GRUNNING: "running",
    GSYSCALL: "syscall",
    GWAITING: "waiting",
    GMORIBUND: "moribund",
    GDEAD: "dead",
    GENQUEUE: "enqueue",
    GCOPYSTACK: "copystack",
}
SCANNABLE = {GRUNNABLE, GRUNNING, GSYSCALL, GWAITING}
"""Statuses to which the scan bit may be added."""


def status_name(status: int) -> str:
    """The status in Go's words, `scan` before it when the scan bit is set."""
    return ("scan" if status & GSCAN else "") + STATUS_NAMES.get(status & ~GSCAN, str(status))


class Goroutines(Local):
    """Changes of status.  A goroutine `gp` is the cell of its record."""

    def readgstatus(self, gp: int) -> int:
        """The status, scan bit included."""
        return self.port.load(gp + G.status)

    def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
        """Try to acquire the stack of `gp`: from `old` to `old | GSCAN`."""
        if old in SCANNABLE and new == old | GSCAN:
            return self.port.cas(gp + G.status, old, new)
        raise Throw("castogscanstatus", println("runtime: castogscanstatus oldval=", hex(old), "newval=", hex(new)))

    def casfrom_Gscanstatus(self, gp: int, old: int, new: int) -> None:  # noqa: N802  Go's name
        """Release the stack of `gp`, which the caller acquired: from `old`, with the scan bit, to `new`, without."""
        if not (old & GSCAN and new == old & ~GSCAN):
            line = println("runtime: casfrom_Gscanstatus bad oldval=", hex(old), "newval=", hex(new))
            raise Throw("casfrom_Gscanstatus:top gp->status is not in scan state", line)
        if not self.port.cas(gp + G.status, old, new):
            line = println("runtime: casfrom_Gscanstatus failed", status_name(self.readgstatus(gp)))
            raise Throw("casfrom_Gscanstatus: gp->status is not in scan state", line)

    def casgstatus(self, gp: int, old: int, new: int) -> None:
        """Change the status from `old` to `new`, waiting while the stack is being scanned."""
        if old & GSCAN or new & GSCAN or old == new:
            line = println("runtime: casgstatus: oldval=", hex(old), "newval=", hex(new))
            raise Throw("casgstatus: bad incoming values", line)
        port = self.port
        while not port.cas(gp + G.status, old, new):
            if old == GWAITING and self.readgstatus(gp) == GRUNNABLE:
                raise Throw("casgstatus: waiting for Gwaiting but is Grunnable")
            port.pause(Pause.PROCYIELD, 1)
        if new == GRUNNING:
            port.post(gp + G.gcscanvalid, 0)
