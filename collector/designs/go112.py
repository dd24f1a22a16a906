"""The design of Go 1.12: marking ends when every P has been asked, in turn, and none had any work.

(Go 9108ae7751, with the remedy 95a6f112c6; new objects are born marked, as in Go since 2016.)

Theory of operation.  When the list is empty, the collector flushes the caches of all Ps (the ragged barrier).  If none held
anything, no work is left, because only work makes work; else it marks on.  No second mark is needed, and nobody is told to
stop caching.  But a barrier makes work, too, on a P that has been asked already (K-24, #27993).  So when the world is
stopped the caches are looked at once more, and if there is anything the world is started again, for more marking.

Guards.  What is scanned in the stopped world hangs below the roots that are scanned there again, and below nothing else.

Not modelled.  The hybrid barrier (Go 1.8), which spares the second look at the stacks.
"""

from __future__ import annotations

from collector.designs.design import Design
from collector.designs.go16 import Go16
from collector.runtime import CollectorM
from mutator.phase import GCmark
from mutator.world import RUNTIME


class Go112(Go16):
    """Flush until there is nothing to flush."""

    def promptly(self) -> bool:
        """Caching is never off."""
        return False

    def gcmark_m(self) -> None:
        """Mark, have everybody flush, and once more if anybody had anything."""
        flushed = self.runtime + RUNTIME.gcmarkdoneflushed
        CollectorM.gcmark_m(self)
        while True:
            self.port.store(flushed, 0)
            self.foreachp()
            if self.port.load(flushed) == 0:
                return
            self.markagain()

    def flush(self, m: int) -> int:
        """As before; who had anything says so."""
        held = super().flush(m)
        if held:
            self.port.xadd(self.runtime + RUNTIME.gcmarkdoneflushed, 1)
        return held

    def gcinstalloffwb(self) -> None:
        """The world is stopped: if there is work after all, start it and mark on (95a6f112c6)."""
        super().gcinstalloffwb()
        while self.worked():
            self.starttheworld()
            self.markagain()
            self.stoptheworld()

    def worked(self) -> bool:
        """Has a P made work since it was asked?  The world is stopped; what was cached is on full afterwards."""
        return self.harvestwbufs() != 0 or self.port.load(self.work_full) != 0

    def black(self) -> bool:
        """Always, while marking lasts."""
        return self.port.words[self.gcphase] == GCmark


DESIGN = Design(
    name="go1.12",
    when="February 2019",
    commits=("9108ae7751", "95a6f112c6"),
    what="Marking ends when all Ps have been flushed and none had any work; looked at again in the stopped world.",
    m=Go112,
    wbufsize=2048,
)
