"""A parallel for loop with work stealing; it distributes the root jobs.  (Go: parforsetup, parfordo, parfor.go.)

Theory of operation.  The range is cut into one piece a thread; a piece is one word, its next index in the low half and its
end in the high half.  The owner claims an index by incrementing the word; a thief takes the upper half of what is left by
compare-and-swap, and never the last index.  A thread that finds nothing long enough counts itself idle in `done`; when all
are, the loop is over.  With `wait` false a thread may leave while others still work.

Guards.  I12: each index is executed exactly once.  Between a thief's CAS and its own store the stolen range is in nobody's
word; the thief is not idle then, so `done` cannot reach `nthr`.

Relied on.  A failed claim still increments the word; harmless, because the next successful steal overwrites it.

Not modelled.  The body as a field of the descriptor: a function cannot lie in the flat memory, so it comes with the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.fastrand import Fastrand
from workbuf.events import Event
from workbuf.layout import Struct
from workbuf.machine import Pause
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Machine


STATISTICS = ("nsteal", "nstealcnt", "nprocyield", "nosyield", "nsleep")
PARFOR = Struct("parfor", "done", "nthr", "thrseq", "cnt", "wait", *STATISTICS)
THR = Struct("thr", "pos", *STATISTICS, "pad0", "pad1")
"""One thread's share: exactly a cache line."""
LOW32 = (1 << 32) - 1


def parforalloc(machine: Machine, nthrmax: int, name: str = "markfor") -> int:
    """A descriptor for up to `nthrmax` threads; returns its cell."""
    size = -(-PARFOR.size // THR.size) * THR.size
    fields = [*PARFOR.fields, *(f"pad{i}" for i in range(size - PARFOR.size))]
    fields += [f"thr[{i}].{field}" for i in range(nthrmax) for field in THR.fields]
    return machine.alloc(len(fields), name, fields, align=THR.size)


def thr(desc: int, tid: int) -> int:
    """The cell of thread `tid`'s share."""
    return desc + (-(-PARFOR.size // THR.size) + tid) * THR.size


class Parfor(Fastrand):
    """parforsetup and parfordo.  `nthrmax` is the length of the descriptor's thread array."""

    nthrmax = 32

    def parforsetup(self, desc: int, nthr: int, n: int, *, wait: bool, body: Callable[[int], object] | None) -> None:
        """Prepare `desc` for `nthr` threads to run `body(0..n-1)` between them."""
        if not desc or nthr == 0 or nthr > self.nthrmax or body is None:
            line = println("desc=", desc, "nthr=", nthr, "count=", n, "body=", body)
            raise Throw("parfor: invalid args", line)
        words = self.port.words
        for field in PARFOR.fields:
            words[desc + PARFOR.offsets[field]] = 0
        words[desc + PARFOR.nthr] = nthr
        words[desc + PARFOR.cnt] = n
        words[desc + PARFOR.wait] = int(wait)
        # Every slot, as in Go: those past nthr get ranges past n, which nobody ever looks at (O-22).
        for i in range(self.nthrmax):
            begin, end = n * i // nthr, n * (i + 1) // nthr
            words[thr(desc, i) + THR.pos] = begin | end << 32

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """Take part as one of the threads; returns when there is nothing left to take (and, with wait, to wait for)."""
        port, words = self.port, self.port.words
        tid = port.xadd(desc + PARFOR.thrseq, 1) - 1
        nthr = words[desc + PARFOR.nthr]
        if tid >= nthr:
            raise Throw("parfor: invalid tid", println("tid=", tid, "nthr=", nthr))
        if nthr == 1:
            for i in range(words[desc + PARFOR.cnt]):
                body(i)
            return
        me = thr(desc, tid)
        while True:
            while True:
                # Claim an index by incrementing; what comes back says which it was and where the piece ends now.
                pos = port.xadd(me + THR.pos, 1)
                begin = (pos & LOW32) - 1
                if begin >= pos >> 32:
                    break
                body(begin)
            if not self.steal(desc, tid, nthr):
                break
        self.addstatistics(desc, me)

    def addstatistics(self, desc: int, me: int) -> None:
        """Add what this thread has counted to the descriptor's totals."""
        words = self.port.words
        for field in STATISTICS:
            self.port.xadd(desc + PARFOR.offsets[field], words[me + THR.offsets[field]])
            words[me + THR.offsets[field]] = 0

    def take(self, me: int, begin: int, end: int, *, idle: bool) -> None:
        """Make the stolen range `begin` to `end` that of the thread at `me`, which must not count as idle."""
        port, words = self.port, self.port.words
        if idle:
            raise Throw("parfor: should not be idle")
        port.store(me + THR.pos, begin | end << 32)
        words[me + THR.nsteal] += 1
        words[me + THR.nstealcnt] += end - begin

    def stealfrom(self, at: int, done: int, *, idle: bool) -> tuple[tuple[int, int] | None, bool]:
        """Try to take the upper half of the piece at cell `at`, as a thread that counts as `idle` in the cell `done` or not.

        Returns what was stolen, None if there is too little, and whether the thread counts as idle now.
        """
        port = self.port
        while True:
            pos = port.load(at)
            begin, end = pos & LOW32, pos >> 32
            if begin + 1 >= end:
                return None, idle  # never the last index: its owner may be claiming it
            if idle:
                # Before the steal: from the CAS until our store the range is in no thread's word, and a thread that saw
                # `done` complete in between would leave without it.
                port.xadd(done, -1)
                idle = False
            mid = begin + (end - begin) // 2
            if port.cas(at, pos, begin | mid << 32):
                return (mid, end), idle
            port.check()

    def steal(self, desc: int, tid: int, nthr: int) -> bool:
        """Look for work in the other threads' pieces; False when the loop is over for this thread."""
        port, words = self.port, self.port.words
        me, done = thr(desc, tid), desc + PARFOR.done
        wait = words[desc + PARFOR.wait]
        idle = False
        turn = 0
        while True:
            if turn > nthr * 4 and not idle:
                idle = True
                port.xadd(done, 1)
            extra = 0 if idle else 1
            if port.load(done) + extra == nthr:
                if not idle:
                    port.xadd(done, 1)
                return False
            victim = self.fastrand1() % (nthr - 1)
            if victim >= tid:
                victim += 1
            stolen, idle = self.stealfrom(thr(desc, victim) + THR.pos, done, idle=idle)
            if stolen:
                begin, end = stolen
                self.take(me, begin, end, idle=idle)
                port.event(Event.STEAL, victim, end - begin)
                return True
            if turn >= nthr:
                if turn < nthr * 4:
                    words[me + THR.nprocyield] += 1
                    port.pause(Pause.PROCYIELD, 20)
                elif not wait:
                    if not idle:
                        port.xadd(done, 1)
                    return False
                elif turn < nthr * 6:
                    words[me + THR.nosyield] += 1
                    port.pause(Pause.OSYIELD, 1)
                else:
                    words[me + THR.nsleep] += 1
                    port.pause(Pause.USLEEP, 1)
            turn += 1
