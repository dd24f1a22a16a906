"""Faults of the parallel for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.fault import Fault
from collector.parfor import LOW32, PARFOR, THR, thr
from collector.runtime import CollectorM
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable


class Stealing(CollectorM):
    """steal in steps that a fault below overrides one of; itself without a fault."""

    def steal(self, desc: int, tid: int, nthr: int) -> bool:
        """As in parfor.py, without statistics."""
        port, done = self.port, desc + PARFOR.done
        idle, turn = False, 0
        while True:
            if turn > nthr * 4 and not idle:
                idle = True
                port.xadd(done, 1)
            if port.load(done) + (not idle) == nthr:
                if not idle:
                    port.xadd(done, 1)
                return False
            victim = self.fastrand1() % (nthr - 1)
            if self.attempt(desc, thr(desc, tid), thr(desc, victim + (victim >= tid)) + THR.pos, idle=idle):
                return True
            if turn >= nthr * 4 and not port.words[desc + PARFOR.wait]:
                if not idle:
                    port.xadd(done, 1)
                return False
            if turn >= nthr:
                port.pause(Pause.OSYIELD, 1)
            turn += 1

    def attempt(self, desc: int, me: int, at: int, *, idle: bool) -> bool:
        """Take the upper half of the piece at cell `at`, if it is long enough."""
        port = self.port
        while True:
            pos = port.load(at)
            begin, end = pos & LOW32, pos >> 32
            if begin + 1 >= end:
                return False
            if idle:
                port.xadd(desc + PARFOR.done, -1)
                idle = False
            mid = begin + (end - begin) // 2
            if port.cas(at, pos, begin | mid << 32):
                self.take(me, mid, end, idle=False)
                return True
            port.check()


class LateDone(Stealing):
    """A thief that counted as idle counts itself out after the swap, so that others leave the range in nobody's word."""

    def attempt(self, desc: int, me: int, at: int, *, idle: bool) -> bool:
        """Swap, then count out."""
        port = self.port
        while True:
            pos = port.load(at)
            begin, end = pos & LOW32, pos >> 32
            if begin + 1 >= end:
                return False
            mid = begin + (end - begin) // 2
            if port.cas(at, pos, begin | mid << 32):
                if idle:
                    port.xadd(desc + PARFOR.done, -1)
                self.take(me, mid, end, idle=False)
                return True
            port.check()


class StealsLast(Stealing):
    """A thief takes the last index too, which its owner may be claiming."""

    def attempt(self, desc: int, me: int, at: int, *, idle: bool) -> bool:
        """Whatever is left."""
        port = self.port
        pos = port.load(at)
        begin, end = pos & LOW32, pos >> 32
        if begin >= end:
            return False
        if idle:
            port.xadd(desc + PARFOR.done, -1)
        mid = begin + (end - begin) // 2
        port.store(at, begin | mid << 32)
        self.take(me, mid, end, idle=False)
        return True


class ClaimByStore(CollectorM):
    """The owner claims an index by a load and a store, between which a thief takes it."""

    def parfordo(self, desc: int, body: Callable[[int], object]) -> None:
        """Two steps where one is needed."""
        port, words = self.port, self.port.words
        tid = port.xadd(desc + PARFOR.thrseq, 1) - 1
        nthr = words[desc + PARFOR.nthr]
        me = thr(desc, tid) + THR.pos
        while True:
            pos = port.load(me)
            port.store(me, pos + 1)
            if pos & LOW32 < pos >> 32:
                body(pos & LOW32)
            elif nthr == 1 or not self.steal(desc, tid, nthr):
                return


FAULTS = (
    Fault(
        "parfor-late-done",
        LateDone,
        unseen="the collector's loop does not wait: what a thread leaves to others is run by them all the same",
    ),
    Fault("parfor-steals-last", StealsLast),
    Fault("parfor-claim-by-store", ClaimByStore),
)
