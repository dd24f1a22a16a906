"""The mutators' part in marking: shading in the write barrier, and assists.  (Go: shade, gchelpwork, mgc.go.)

Theory of operation.  shade greys the object that was just stored, through the M's cached buffer, so that a barrier usually
touches no list.  The buffer is fetched before the colour is known, so a barrier on a marked object leaves an empty buffer
behind (W10, O-21).  gchelpwork scans up to one buffer's worth of objects and gives what is left to full, never back to the
cache, so that the collector need not compete for it.

Guards.  I4: the cache is 0 while this M holds the buffer.  Both run between two safepoints (K-4).
"""

from __future__ import annotations

from collector.grey import Grey
from mutator.phase import GCmark, GCmarktermination, GCoff, GCquiesce, GCscan, GCstw, GCsweep
from mutator.world import MRECORD
from workbuf.buffer import NOBJ
from workbuf.events import Event
from workbuf.throw import Throw


class Shade(Grey):
    """The two hooks that the phase switches on."""

    def shade(self, b: int) -> None:
        """Grey the object that the heap address `b` lies in."""
        if not self.inheap(b):
            raise Throw("shade: passed an address not in the heap")
        obj, hbits, bits = self.heapBitsForObject(b)
        if not obj:
            return
        wbuf = self.getpartialorempty(1181)
        wbuf = self.greyobject(obj, 0, 0, hbits, bits, wbuf)
        self.checknocurrentwbuf()
        if self.port.words[self.gcphase] == GCmarktermination:
            self.putpartial(wbuf, 1191)
        elif self.cache(wbuf):
            raise Throw("m.currentwbuf lost in shade")

    def gchelpwork(self) -> None:
        """Scan up to `len_obj` objects, if the phase is mark and there are any."""
        phase = self.port.words[self.gcphase]
        if phase in (GCoff, GCquiesce, GCstw, GCsweep, GCscan):
            return
        if phase != GCmark:
            raise Throw("gcphasework in bad gcphase")
        before = self.scanned
        self.port.event(Event.ASSIST, phase)
        wbuf = self.takecached() or self.trygetfull(1228)
        if wbuf:
            wbuf = self.drainobjects(wbuf, self.len_obj)
            if wbuf:
                if self.port.words[wbuf + NOBJ] != 0:
                    self.putfull(wbuf, 1175)
                else:
                    self.putempty(wbuf, 1177)
        self.port.words[self.record + MRECORD.assisted] += self.scanned - before
        self.port.event(Event.ASSIST_END, self.scanned - before)
