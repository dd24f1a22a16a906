"""The design of Go 1.5: a cache that is plainly read and written, and a second mark, in which nothing is cached.

(Go 1b4025f4bd, 90a19961f2, cf225a1748, c1f7a56fc0; e95bc5fef7 and 02dcdba7c8 on the way.)

Theory of operation.  The cache belongs to the P: only who holds the P, or the collector while the world is stopped, touches
it, so no exchange is needed.  A barrier fetches a buffer only for an object that it greys, gives a full one away at once,
and what an assist has left stays in the cache.  When the concurrent mark has run out of work it switches caching off
(gcBlackenPromptly), THEN has the caches flushed, P by P, each at a safepoint of its own (the ragged barrier), and marks on:
what hangs below the flushed buffers is not left to the stopped world.  What is allocated from then on is born marked.
A mark, too, waits for assists: the seed's may end while one holds all the work there is (K-4).

Guards.  I4: as in the seed.  Disabled before the flush (c1f7a56fc0): a barrier in between could cache again.

Not modelled.  Background workers on a quarter of the Ps: one M marks, as at the seed, so that designs differ in their
buffers alone.
"""

from __future__ import annotations

from collector.designs.design import Design
from collector.roots import ROOT_BSS, ROOT_DATA
from collector.runtime import CollectorM
from mutator.heap import DEAD, MARKED, SPAN
from mutator.phase import GCmark
from mutator.world import GDEAD, MRECORD, RUNTIME, SCHED, G
from workbuf.buffer import NOBJ
from workbuf.entry import TO_EMPTY
from workbuf.events import Event
from workbuf.machine import WORD
from workbuf.throw import Throw


class Go15(CollectorM):
    """A cache without exchanges, and a mark that goes on until the caches are flushed."""

    def takecached(self) -> int:
        """This P's buffer or 0; the caller owns it.  Plain: nobody else may take it meanwhile."""
        words = self.port.words
        b = words[self.currentwbuf] // WORD
        if b:
            words[self.currentwbuf] = 0
            self.port.event(Event.UNCACHED, b)
        return b

    def cache(self, b: int) -> int:
        """Leave the buffer `b` (0: none), which the caller owns, with this P; returns what was there, normally 0."""
        words = self.port.words
        before = words[self.currentwbuf] // WORD
        if b:
            self.port.event(Event.CACHED, b)
        words[self.currentwbuf] = b * WORD
        return before

    def harvestwbufs(self) -> int:
        """Flush the caches of every P, in the stopped world; returns how many held anything.  Helpers have no P."""
        return sum(self.flush(m) for m in self.allms() if self.port.words[m + MRECORD.p])

    def flush(self, m: int) -> int:
        """Flush the caches of the P of that M, which is at a safepoint and cannot leave it; how many held anything."""
        words = self.port.words
        held = 0
        for cell in (m + MRECORD.currentwbuf, m + MRECORD.wbuf2):
            b, words[cell] = words[cell] // WORD, 0
            if b:
                self.port.event(Event.HARVESTED, b, words[m + MRECORD.id], words[b + NOBJ])
                held += words[b + NOBJ] != 0
                self.dispose(b)
        return held

    def foreachp(self) -> None:
        """The ragged barrier: have the caches of every P flushed, one after another, each at its next safepoint.

        Asked as for a stack scan: a goroutine that runs does it itself, for another one we do, under its scan bit.
        """
        words = self.port.words
        self.flush(self.record)
        for gp in self.allgs():
            m = words[gp + G.m]
            if m and m != self.record:
                self.scangoroutine(gp)
                if self.readgstatus(gp) == GDEAD:
                    self.flush(m)

    def gcphasework(self, gp: int) -> None:
        """As the seed's; in the mark phase what the ragged barrier asks for.  The caller holds the scan bit."""
        m = self.port.words[gp + G.m]
        if m and self.port.words[self.gcphase] == GCmark:
            self.flush(m)
        super().gcphasework(gp)

    def dispose(self, b: int) -> None:
        """Put a buffer that the caller owns on full, or on empty; not touched afterwards."""
        if self.port.words[b + NOBJ] == 0:
            self.putempty(b, 945)
        else:
            self.putfull(b, 947)

    def putpartial(self, b: int, entry: int) -> None:
        """To full and not to partial, where a barrier would take it back (K-7; e95bc5fef7)."""
        if self.port.words[b + NOBJ] == 0:
            self.putempty(b, entry + TO_EMPTY)
        else:
            self.putfull(b, entry)

    def shade(self, b: int) -> None:
        """Grey the object that the heap address `b` lies in; a buffer is fetched only to put it in."""
        if not self.inheap(b):
            raise Throw("shade: passed an address not in the heap")
        obj, hbits, bits = self.heapBitsForObject(b)
        if not obj or bits & self.greybit:
            return
        wbuf = 0 if bits & DEAD else self.producing()
        wbuf = self.greyobject(obj, 0, 0, hbits, bits, wbuf)
        if wbuf:
            self.leave(wbuf)

    def producing(self) -> int:
        """A buffer for what a barrier has greyed; the caller owns it."""
        return self.getpartialorempty(1181)

    def leave(self, b: int) -> None:
        """Leave a buffer that the caller owns with this P, if it is worth keeping and caching is on."""
        if self.port.words[b + NOBJ] in (0, self.len_obj) or self.promptly():
            self.dispose(b)
        else:
            self.keep(b)

    def keep(self, b: int) -> None:
        """Leave a buffer that the caller owns in this P's cache; throw if one is there, which would be forgotten (I4)."""
        if self.cache(b):
            raise Throw("m.currentwbuf lost in shade")

    def promptly(self) -> bool:
        """Is caching off?  A hint: who has not seen it yet has not been flushed yet."""
        return self.port.hint(self.runtime + RUNTIME.gcblackenpromptly) != 0

    def drainobjects(self, wbuf: int, count: int) -> int:
        """As the seed's; a buffer that is left stays with this P."""
        left = super().drainobjects(wbuf, count)
        if left:
            self.leave(left)
        return 0

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """As the seed's, but queued work begins with a full buffer and not with an empty one (K-8)."""
        if not b:
            self.refresh_spans()
            wbuf = wbuf or self.getfull(504)
            if not wbuf:
                return 0
        return super().scanblock(b, n, ptrmask, wbuf)

    def gcinstallmarkwb(self) -> None:
        """As the seed's; every P counts as a participant of the mark, and the others' as waiting.  The world is stopped."""
        super().gcinstallmarkwb()
        words = self.port.words
        ps = words[self.sched + SCHED.gomaxprocs]
        self.resetwork(ps)
        words[self.work_nwait] = ps - 1

    def gchelpwork(self) -> None:
        """As the seed's; in between its P does not count as waiting, so that the mark does not end over what it holds."""
        if self.port.words[self.gcphase] != GCmark:
            super().gchelpwork()
            return
        self.port.xadd(self.work_nwait, -1)
        super().gchelpwork()
        self.port.xadd(self.work_nwait, 1)

    def markagain(self) -> None:
        """Mark once more: we no longer wait."""
        self.port.xadd(self.work_nwait, -1)
        CollectorM.gcmark_m(self)

    def gcmark_m(self) -> None:
        """Mark; switch caching off and flush; mark what that has brought to light."""
        super().gcmark_m()
        for root in (ROOT_DATA, ROOT_BSS):
            self.markroot(root)
        # Before the flush: a P that has been flushed must not cache again (c1f7a56fc0).
        self.port.post(self.runtime + RUNTIME.gcblackenpromptly, 1)
        self.foreachp()
        self.markagain()

    def gcinstalloffwb(self) -> None:
        """The world is stopped for good: caching is on again, for the next cycle."""
        super().gcinstalloffwb()
        self.port.post(self.runtime + RUNTIME.gcblackenpromptly, 0)

    def publish(self, span: int, index: int, mask: int) -> int:
        """As the seed's; a new object is marked, with nothing in it to be scanned, in the second mark already."""
        p = super().publish(span, index, mask)
        if self.black():
            self.port.or8(self.port.words[span + SPAN.objs] + index, MARKED)
        return p

    def black(self) -> bool:
        """Are new objects born marked, while the mark lasts?"""
        return self.port.words[self.gcphase] == GCmark and self.promptly()


DESIGN = Design(
    name="go1.5",
    when="August 2015",
    commits=("1b4025f4bd", "90a19961f2", "cf225a1748", "c1f7a56fc0"),
    what="The cache is the P's; before the last stop it is flushed and switched off, and marking goes on.",
    m=Go15,
)
