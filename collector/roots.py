"""Root marking: the roots as numbered jobs, which the markers share.  (Go: markroot, mgc.go.)

Theory of operation.  Root jobs are numbered: data, bss, finalizer queue, spans' specials, flush of the caches, then one per
goroutine; parfor hands them out.  A job takes this M's cached buffer, threads it through its scans and leaves what is left
on the partial list, never in the cache.  An object that has a finalizer is not marked by its root, so it can still be found
dead; what it points to is retained, and so is the finalizer's closure.

Guards.  I12 through parfor; I14: what mark termination must have reached starts here.

Relied on.  Specials are walked without their lock in the scan phase (O-19): a miss there costs nothing, because mark
termination walks them again in the stopped world.
"""

from __future__ import annotations

from collector.parfor import Parfor
from collector.stackscan import StackScan
from mutator.heap import FIN, FINALIZER, FINBLOCK, SPAN, SPAN_IN_USE, SPECIAL, HeapLocal
from mutator.phase import GCscan
from mutator.world import RUNTIME, World
from workbuf.events import Event
from workbuf.machine import WORD, Port
from workbuf.throw import Throw, println


ROOT_DATA, ROOT_BSS, ROOT_FINALIZERS, ROOT_SPANS, ROOT_FLUSH_CACHES, ROOT_COUNT = range(6)


class Roots(HeapLocal, StackScan, Parfor):
    """markroot."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.oneptr = self.stackmap(1, [0])

    def setuproots(self, nthr: int) -> int:
        """Prepare the root jobs for `nthr` markers; returns how many there are."""
        n = ROOT_COUNT + self.port.load(self.runtime + RUNTIME.allglen)
        self.port.fill(self.world.rootcounts, n, 0)
        self.parforsetup(self.world.markfor, nthr, n, wait=False, body=self.markroot)
        self.port.event(Event.ROOTS, n, nthr)
        return n

    def markroot(self, i: int) -> None:
        """Execute root job `i`."""
        self.port.xadd(self.world.rootcounts + i, 1)
        self.port.event(Event.ROOT, i)
        wbuf = self.takecached()
        if i == ROOT_DATA:
            data = self.world.data
            wbuf = self.scanblock(data.base * WORD, data.n * WORD, data.mask, wbuf)
        elif i == ROOT_BSS:
            bss = self.world.bss
            wbuf = self.scanblock(bss.base * WORD, bss.n * WORD, bss.mask, wbuf)
        elif i == ROOT_FINALIZERS:
            for block in self.finblocks():
                n = self.port.hint(block + FINBLOCK.cnt) * FIN.size
                if n:
                    wbuf = self.scanblock((block + FINBLOCK.size) * WORD, n * WORD, self.world.heap.finptrmask, wbuf)
        elif i == ROOT_SPANS:
            wbuf = self.markspans(wbuf)
        elif i == ROOT_FLUSH_CACHES:
            if self.port.words[self.gcphase] != GCscan:
                self.flushallmcaches()
        else:
            allglen = self.port.load(self.runtime + RUNTIME.allglen)
            if i - ROOT_COUNT >= allglen:
                raise Throw("markroot: bad index")
            self.scangoroutine(self.port.words[self.world.allgs + i - ROOT_COUNT])
        if wbuf:
            self.putpartial(wbuf, 670)

    def markspans(self, wbuf: int) -> int:
        """Scan what finalizers need: their objects' referents and their closures; takes and returns a buffer."""
        words, hint = self.port.words, self.port.hint
        scanning = words[self.gcphase] == GCscan
        for span in self.allspans():
            # An atomic: the state is stored last when a span begins to be used, and what it says of the span holds then.
            if self.port.load(span + SPAN.state) != SPAN_IN_USE:
                continue
            if not self.checkmarking and not self.isswept(span):
                raise Throw("gc: unswept span", println("sweep", words[span + SPAN.sweepgen], self.sweepgen()))
            start, elemsize = words[span + SPAN.start], words[span + SPAN.elemsize]
            for special in self.specials(span):
                if hint(special + SPECIAL.kind) != FINALIZER:
                    continue
                if not scanning:
                    p = start + hint(special + SPECIAL.offset) // elemsize * elemsize
                    wbuf = self.scanblock(p, elemsize, 0, wbuf)
                wbuf = self.scanblock((special + SPECIAL.fn) * WORD, WORD, self.oneptr, wbuf)
        return wbuf
