"""Faults of the termination barrier and of handoff."""

from __future__ import annotations

from collector.faults.fault import Fault
from workbuf.buffer import NOBJ
from workbuf.getfull import Getfull


class Barrier(Getfull):
    """getfull in steps that a fault below overrides one of; itself without a fault."""

    def getfull(self, entry: int) -> int:
        """As in getfull.py, without events."""
        b = self.offered(entry)
        if b:
            return b
        port = self.port
        self.countin()
        turn = 0
        while True:
            if port.hint(self.work_full) != 0:
                b = self.retry(entry)
                if b:
                    return b
            if self.over():
                return 0
            self.backoff(turn)
            turn += 1

    def offered(self, entry: int) -> int:
        """What is there without waiting."""
        return self.popfull(entry) or self.poppartial(entry) or self.takecachedwork(877)

    def countin(self) -> None:
        """Count as waiting."""
        self.port.xadd(self.work_nwait, 1)

    def retry(self, entry: int) -> int:
        """Count out, look once more, count in again if there is nothing."""
        self.port.xadd(self.work_nwait, -1)
        b = self.popfull(entry) or self.poppartial(entry)
        if not b:
            self.countin()
        return b

    def over(self) -> bool:
        """Does everybody wait?"""
        return self.port.load(self.work_nwait) == self.port.hint(self.work_nproc)


class LateDecrement(Barrier):
    """A waiter pops first and counts itself out afterwards, so that the others see everybody waiting."""

    def retry(self, entry: int) -> int:
        """Pop, then count out."""
        b = self.popfull(entry) or self.poppartial(entry)
        if b:
            self.port.xadd(self.work_nwait, -1)
        return b


class PartialUnseen(Barrier):
    """A waiter that looks again looks at full only."""

    def retry(self, entry: int) -> int:
        """Without partial."""
        self.port.xadd(self.work_nwait, -1)
        b = self.popfull(entry)
        if not b:
            self.countin()
        return b


class CacheUnseen(Barrier):
    """getfull does not look into this M's own cache."""

    def offered(self, entry: int) -> int:
        """Off the lists only."""
        return self.popfull(entry) or self.poppartial(entry)


class LeavesEarly(Barrier):
    """A waiter goes when all but one wait: that one still marks, and may still make work."""

    def over(self) -> bool:
        """One short."""
        return self.port.load(self.work_nwait) >= self.port.hint(self.work_nproc) - 1


class Uncounted(Barrier):
    """A waiter does not count itself: nobody ever learns that all is over."""

    def countin(self) -> None:
        """Nothing."""


class CountedTwice(Barrier):
    """A waiter that found nothing counts itself in twice."""

    def retry(self, entry: int) -> int:
        """Count in again without having counted out."""
        b = self.popfull(entry) or self.poppartial(entry)
        self.port.xadd(self.work_nwait, -1 if b else 1)
        return b


class HandoffDrops(Getfull):
    """handoff loses one entry of the half that it keeps."""

    def handoff(self, b: int) -> int:
        """One fewer than it copied."""
        b1 = super().handoff(b)
        self.port.words[b1 + NOBJ] -= 1
        return b1


class HandoffKeeps(Getfull):
    """handoff goes on with the half that it has just given away."""

    def handoff(self, b: int) -> int:
        """The buffer is another's."""
        self.putempty_of(super().handoff(b))
        return b

    def putempty_of(self, b1: int) -> None:
        """Empty the other half, whose entries are thereby lost, and put it back."""
        self.port.words[b1 + NOBJ] = 0
        self.putempty(b1, 942)


FAULTS = (
    Fault("getfull-late-decrement", LateDecrement, bugs=("O-24",)),
    Fault(
        "getfull-partial-unseen",
        PartialUnseen,
        bugs=("K-3",),
        equivalent="whoever pushes to partial looks there itself before it waits; others only help later",
    ),
    Fault(
        "getfull-without-cache",
        CacheUnseen,
        unseen="drainworkbuf, its only caller, throws before if anything is cached",
    ),
    Fault("getfull-leaves-early", LeavesEarly),
    Fault("getfull-uncounted", Uncounted),
    Fault("getfull-counted-twice", CountedTwice),
    Fault("handoff-drops", HandoffDrops),
    Fault("handoff-keeps", HandoffKeeps),
)
