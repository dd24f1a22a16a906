"""getfull, the termination barrier, and handoff, which feeds it.  (Go: getfull, handoff, mgc.go.)

Theory of operation.  `work.nproc` participants mark in parallel.  One that has run out of work calls getfull.  It takes a
buffer off full or partial or from its own cache; if there is none, it increments `work.nwait` and polls.  When work shows up
it decrements `work.nwait` BEFORE it pops.  When `work.nwait` reaches `work.nproc`, no participant holds work and none can
make any: the mark is over, and every participant gets 0.  Polling backs off in three stages: PAUSE instructions, then
yields, then 100 us sleeps.  A participant with more than four entries that sees others waiting and nothing on full gives
its older half away: handoff.

Guards.  I10: 0 <= nwait <= nproc, and nwait == nproc means no work anywhere, for good.  That needs a closed world (O-24):
only participants push; each empties its buffer and its cache before it increments nwait, and decrements it before it pops.

Relied on.  `nwait` is reset, by gcscan_m and gc, before it is used again: it stays raised when the barrier is reached, and
a second call would wait for ever (O-10).  The reads of `work.full` and of the two
counters are hints: a stale one costs a turn.

Not modelled.  A time-out: one stuck participant stalls everybody (K-22), as in Go.
"""

from __future__ import annotations

from workbuf.buffer import HANDOFF_MIN, NOBJ, OBJ
from workbuf.events import Event
from workbuf.lists import Lists
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import Pause, Port


ACTIVE_SPINS = 10
"""Turns of getfull's loop that spin with procyield."""
PASSIVE_SPINS = 20
"""Turns after which it sleeps instead of yielding."""
PROCYIELD_N = 20
SLEEP_US = 100


class Getfull(Lists):
    """The barrier and handoff."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        self.work_nwait = world.work + WORK.nwait
        self.work_nproc = world.work + WORK.nproc

    def getfull(self, entry: int) -> int:
        """A non-empty buffer, waiting for one while anybody may still make it; the caller owns it.

        0 when all participants wait here and nothing is left: the termination of mark.  The caller holds no buffer.
        """
        b = self.popfull(entry)
        if b:
            self.checknonempty(b)
            return b
        # What comes off partial goes unchecked here, as in Go; drainworkbuf checks either (O-4).
        b = self.poppartial(entry) or self.takecachedwork(877)
        if b:
            return b
        port = self.port
        work_full, work_nwait = self.work_full, self.work_nwait
        nwait = port.xadd(work_nwait, 1)
        port.event(Event.WAIT, nwait)
        turn = 0
        while True:
            if port.hint(work_full) != 0:
                # Before the pop: while the buffer is in our hand we must not count as waiting, or the others, seeing
                # nwait == nproc, would end the mark with work outstanding (O-24).
                nwait = port.xadd(work_nwait, -1)
                port.event(Event.RESUME, nwait, turn)
                b = self.popfull(entry) or self.poppartial(entry)
                if b:
                    self.checknonempty(b)
                    return b
                nwait = port.xadd(work_nwait, 1)
                port.event(Event.WAIT, nwait)
            # An atomic load: a thread that leaves here goes on to change what the others' marking has read, the phase
            # first of all, so their marking must be ordered before our leaving.  A hint orders nothing (Go's plain load
            # does, on x86).
            if port.load(work_nwait) == port.hint(self.work_nproc):
                port.event(Event.REACHED, turn)
                return 0
            self.backoff(turn)
            turn = min(turn + 1, PASSIVE_SPINS)  # the last stage goes on: nothing counts on, so a state can come again

    def backoff(self, turn: int) -> None:
        """One wait of getfull's loop, by its stage, counted in this M's gcstats."""
        words = self.port.words
        if turn < ACTIVE_SPINS:
            words[self.record + MLOCAL.nprocyield] += 1
            self.port.pause(Pause.PROCYIELD, PROCYIELD_N)
        elif turn < PASSIVE_SPINS:
            words[self.record + MLOCAL.nosyield] += 1
            self.port.pause(Pause.OSYIELD, 1)
        else:
            words[self.record + MLOCAL.nsleep] += 1
            self.port.pause(Pause.USLEEP, SLEEP_US)

    def handoff(self, b: int) -> int:
        """Split `b`, which the caller owns and which holds more than HANDOFF_MIN entries.

        The older half stays in `b` and goes to full, another's to take; the newer half is in the buffer returned, which
        the caller owns and goes on with.
        """
        words = self.port.words
        b1 = self.getempty(915)
        nobj = words[b + NOBJ]
        n = nobj // 2
        words[b + NOBJ] = nobj - n
        words[b1 + NOBJ] = n
        source, target = b + OBJ + nobj - n, b1 + OBJ
        for i in range(n):
            words[target + i] = words[source + i]
        words[self.record + MLOCAL.nhandoff] += 1
        words[self.record + MLOCAL.nhandoffcnt] += n
        self.port.event(Event.HANDOFF, b, nobj - n, n)
        self.putfull(b, 942)
        return b1

    def wanted(self, b: int) -> bool:
        """Would handing half of `b` over help?  Hints all: others wait, full is empty, `b` has enough."""
        port = self.port
        return port.hint(self.work_nwait) > 0 and port.words[b + NOBJ] > HANDOFF_MIN and port.hint(self.work_full) == 0
