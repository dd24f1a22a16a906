"""The harvest: moves the work buffers that Ms have cached to the lists.  (Go: harvestwbufs, mgc.go.)

Theory of operation.  In the stopped world every M's cache is exchanged with 0 and what comes out goes to full, or to empty
if there is nothing in it: to full even when partly filled, so that only consumers compete for it.  An exchange, because
threads without a P may still be running barriers (that is why the seed says it needs one; by our default they may not).

Guards.  I6: afterwards all caches are 0.  It happens twice a cycle: when the mark begins, for what stack scans left, and
in mark termination, for what barriers left.  Helpers may already be marking by then; a master that has not yet come to
getfull keeps the barrier open (O-15).
"""

from __future__ import annotations

from mutator.hooks import Hooks
from mutator.world import MRECORD, RUNTIME
from workbuf.buffer import NOBJ
from workbuf.events import Event
from workbuf.lists import Lists
from workbuf.machine import WORD


class Harvest(Lists, Hooks):
    """harvestwbufs."""

    def harvestwbufs(self) -> int:
        """Move every M's cached buffer to a list; returns how many held anything.  The world is stopped."""
        port, words = self.port, self.port.words
        port.store(self.runtime + RUNTIME.harvestingwbufs, 1)  # nothing reads it, as in Go (O-6)
        harvested = 0
        for number in range(words[self.runtime + RUNTIME.allmlen]):
            m = words[self.world.allm + number]
            wbuf = self.takecachedof(m)
            if wbuf:
                nobj = words[wbuf + NOBJ]
                port.event(Event.HARVESTED, wbuf, number, nobj)
                if nobj == 0:
                    self.putempty(wbuf, 945)
                else:
                    harvested += 1
                    self.putfull(wbuf, 947)
        port.store(self.runtime + RUNTIME.harvestingwbufs, 0)
        return harvested

    def takecachedof(self, m: int) -> int:
        """Take the buffer out of that M's cache, 0 if there is none; the caller owns it."""
        return self.port.xchg(m + MRECORD.currentwbuf, 0) // WORD
