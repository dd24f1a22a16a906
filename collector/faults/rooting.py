"""Faults of root jobs, stack scans and the harvest."""

from __future__ import annotations

from collector.faults.fault import Fault
from collector.harvest import Harvest
from collector.roots import ROOT_BSS, ROOT_DATA, ROOT_FINALIZERS, ROOT_FLUSH_CACHES, Roots
from collector.stackscan import StackScan
from collector.stw import StopTheWorld
from mutator.goroutine import Goroutines
from mutator.phase import GCscan
from mutator.stack import FRAME
from mutator.world import GRUNNING, MRECORD, RUNTIME, G
from workbuf.lists import Lists
from workbuf.machine import WORD, Pause


class Skipping(Roots):
    """Leaves root job `skipped` undone in mark termination; itself skips none."""

    skipped = -1

    def markroot(self, i: int) -> None:
        """Count the job as executed, and do the others."""
        if i == self.skipped and self.port.words[self.gcphase] != GCscan:
            self.port.xadd(self.world.rootcounts + i, 1)
        else:
            super().markroot(i)


class NoData(Skipping):
    """The data segment is not scanned again in mark termination."""

    skipped = ROOT_DATA


class NoBss(Skipping):
    """The bss segment is not scanned again in mark termination."""

    skipped = ROOT_BSS


class NoFinalizers(Skipping):
    """The finalizer queue is not scanned in mark termination."""

    skipped = ROOT_FINALIZERS


class NoFlush(Skipping):
    """The mcaches are not flushed before the sweep is armed."""

    skipped = ROOT_FLUSH_CACHES


class NoSpecials(Roots):
    """What objects with finalizers point to is no root, nor are the finalizers' closures."""

    def markspans(self, wbuf: int) -> int:
        """Nothing."""
        return wbuf


class RootsCached(Lists):
    """A root job leaves its buffer in the M's cache and not on partial."""

    def putpartial(self, b: int, entry: int) -> None:
        """Cache what markroot, whose entry this is, puts."""
        if entry == 670:
            self.cache(b)
        else:
            super().putpartial(b, entry)


class ArgumentsUnscanned(StackScan):
    """Of a frame only the locals are scanned, and not the arguments."""

    def scanframeworker(self, frame: int, wbuf: int) -> int:
        """As if there were no arguments."""
        words = self.port.words
        n, mask = words[frame + FRAME.nlocals], words[frame + FRAME.localsmask]
        if not n or not words[frame + FRAME.continpc]:
            return wbuf
        return self.scanblock((frame + FRAME.size) * WORD, n * WORD, mask, wbuf)


class OutermostForgotten(StackScan, StopTheWorld):
    """Of a stack only the innermost frame is scanned."""

    def scanframeworker(self, frame: int, wbuf: int) -> int:
        """Unless somebody was called from it."""
        if any(self.port.words[gp + G.frame] == frame for gp in self.allgs()):
            return super().scanframeworker(frame, wbuf)
        return wbuf


class ValidForEver(Goroutines):
    """gcscanvalid is never cleared when a goroutine runs: mark termination skips stacks that have changed since."""

    def casgstatus(self, gp: int, old: int, new: int) -> None:
        """Without the last line."""
        while not self.port.cas(gp + G.status, old, new):
            self.port.pause(Pause.PROCYIELD, 1)


class ValidClearedEarly(Goroutines):
    """gcscanvalid is cleared before the goroutine counts as running: a scan in between sets it again."""

    def casgstatus(self, gp: int, old: int, new: int) -> None:
        """Clear, then change."""
        if new == GRUNNING:
            self.port.post(gp + G.gcscanvalid, 0)
        while not self.port.cas(gp + G.status, old, new):
            self.port.pause(Pause.PROCYIELD, 1)


class RescanLeftOut(StackScan):
    """Stacks that were scanned in the scan phase are not scanned again in mark termination."""

    def scanstack(self, gp: int) -> None:
        """In the scan phase only."""
        if self.port.words[self.gcphase] == GCscan:
            super().scanstack(gp)


class HarvestNothing(Harvest):
    """The caches are not harvested."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


class HarvestSkipsLast(Harvest):
    """The harvest forgets the last M."""

    def takecachedof(self, m: int) -> int:
        """Nothing of the last."""
        words = self.port.words
        last = words[self.world.allm + words[self.runtime + RUNTIME.allmlen] - 1]
        return 0 if m == last else super().takecachedof(m)


class HarvestSkipsIdle(Harvest):
    """The harvest forgets the Ms without a P: helpers, which cache what they find in the scan phase."""

    def takecachedof(self, m: int) -> int:
        """Nothing of those."""
        return super().takecachedof(m) if self.port.words[m + MRECORD.p] else 0


class HarvestSkipsSecond(Harvest):
    """The harvest forgets every second M."""

    def takecachedof(self, m: int) -> int:
        """Of half of them."""
        return 0 if self.port.words[m + MRECORD.id] % 2 else super().takecachedof(m)


class HarvestByStore(Harvest):
    """The harvest takes a cache by a load and a store."""

    def takecachedof(self, m: int) -> int:
        """Two steps where one is needed."""
        wbuf = self.port.load(m + MRECORD.currentwbuf) // WORD
        self.port.store(m + MRECORD.currentwbuf, 0)
        return wbuf


class ScanMissesLast(Roots):
    """The last goroutine is no root."""

    def scangoroutine(self, gp: int) -> None:
        """All but the last."""
        last = self.port.words[self.world.allgs + self.port.load(self.runtime + RUNTIME.allglen) - 1]
        if gp == last:
            self.port.post(gp + G.gcworkdone, 1)
        else:
            super().scangoroutine(gp)


MUTATORS_ONLY = "only Ms with a P have anything cached when the world is stopped"

FAULTS = (
    Fault("data-unscanned", NoData),
    Fault("bss-unscanned", NoBss),
    Fault("finalizer-queue-unscanned", NoFinalizers),
    Fault("mcaches-unflushed", NoFlush),
    Fault("specials-unscanned", NoSpecials),
    Fault("roots-cached", RootsCached),
    Fault("arguments-unscanned", ArgumentsUnscanned),
    Fault("outer-frames-unscanned", OutermostForgotten),
    Fault("last-goroutine-unscanned", ScanMissesLast),
    Fault("gcscanvalid-uncleared", ValidForEver),
    Fault(
        "gcscanvalid-cleared-early",
        ValidClearedEarly,
        bugs=("K-15",),
        unseen="the scan of another M must begin and end between two adjacent steps",
    ),
    Fault("stacks-unscanned-at-the-end", RescanLeftOut),
    Fault("harvest-nothing", HarvestNothing),
    Fault("harvest-skips-last", HarvestSkipsLast, unseen=MUTATORS_ONLY),
    Fault("harvest-skips-idle", HarvestSkipsIdle, unseen=MUTATORS_ONLY),
    Fault("harvest-skips-second", HarvestSkipsSecond),
    Fault("harvest-by-store", HarvestByStore, bugs=("O-15",), unseen="in the stopped world nobody else takes"),
)
