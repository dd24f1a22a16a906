"""Faults of the parallel for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.fault import Fault
from collector.parfor import LOW32, PARFOR, THR, Parfor, thr


if TYPE_CHECKING:
    from collections.abc import Callable


class LateDone(Parfor):
    """A thief that counted as idle counts itself out after the swap, so that others leave the range in nobody's word."""

    def stealfrom(self, at: int, done: int, *, idle: bool) -> tuple[tuple[int, int] | None, bool]:
        """Swap, then count out."""
        stolen, _ = super().stealfrom(at, done, idle=False)
        if stolen and idle:
            self.port.xadd(done, -1)
        return stolen, idle and not stolen


class StealsLast(Parfor):
    """A thief swaps out the last index too, which its owner may be claiming."""

    def stealfrom(self, at: int, done: int, *, idle: bool) -> tuple[tuple[int, int] | None, bool]:
        """Whatever is left."""
        stolen, idle = super().stealfrom(at, done, idle=idle)
        pos = self.port.load(at)
        begin, end = pos & LOW32, pos >> 32
        if stolen or begin >= end:
            return stolen, idle
        if idle:
            self.port.xadd(done, -1)  # before the swap: else it would be the fault above as well
        return ((begin, end) if self.port.cas(at, pos, begin | begin << 32) else None), False


class ClaimByStore(Parfor):
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
    Fault(
        "parfor-steals-last",
        StealsLast,
        unseen="the swap fails if the owner has claimed the index, and the owner finds it gone if the swap was first",
    ),
    Fault("parfor-claim-by-store", ClaimByStore),
)
