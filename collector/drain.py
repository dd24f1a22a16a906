"""Draining: take objects out of work buffers and scan them.  (Go: drainworkbuf, drainobjects, mgc.go.)

Theory of operation.  drainworkbuf scans until its buffer is empty, or, asked for all, until getfull says that nothing is
left anywhere: the heart of mark.  The order in its loop matters: refill, then give half away if others wait, then pop.
drainobjects scans a bounded number of objects, for a mutator that helps.

Guards.  On entry and on return the M caches no buffer: grey objects must not be forgotten in a cache (I4).
"""

from __future__ import annotations

from mutator.heap.spans import Spans
from mutator.phase import GCmark, GCmarktermination
from mutator.world import MRECORD
from workbuf.buffer import NOBJ, OBJ
from workbuf.events import Event
from workbuf.getfull import Getfull
from workbuf.throw import Throw


class Drain(Spans, Getfull):
    """drainworkbuf and drainobjects, over a scanobject that the next class up defines."""

    scanned: int

    def scanobject(self, b: int, wbuf: int) -> int:
        """Grey what the object at `b` points to."""
        raise NotImplementedError

    def drainworkbuf(self, wbuf: int, *, all: bool) -> None:  # noqa: A002  Go calls it drainallwbufs
        """Scan `wbuf`, which the caller owns, until it is empty, or until all work everywhere is done; consumes it."""
        self.checknocurrentwbuf()
        words, check = self.port.words, self.port.check
        if words[self.gcphase] not in (GCmark, GCmarktermination):
            raise Throw("scanblock phase incorrect")
        before = self.scanned
        self.port.event(Event.DRAIN, int(all))
        while True:
            nobj = words[wbuf + NOBJ]
            if nobj == 0:
                words[self.record + MRECORD.scanned] = self.scanned
                wbuf = self.nextwork(wbuf, all=all)
                if not wbuf:
                    break
            # A long list keeps this loop going without a pause for as long as it lasts: notice here if the run was aborted.
            check()
            if self.wanted(wbuf):
                wbuf = self.handoff(wbuf)
            wbuf = self.scanobject(self.popobject(wbuf), wbuf)
        self.port.event(Event.DRAIN_END, self.scanned - before)

    def drainobjects(self, wbuf: int, count: int) -> int:
        """Scan at most `count` objects from `wbuf`, which the caller owns, on.

        Returns the buffer owned afterwards, perhaps empty, or 0 if no work was left without waiting.
        """
        self.checknocurrentwbuf()
        self.refresh_spans()
        words = self.port.words
        for _ in range(count):
            if words[wbuf + NOBJ] == 0:
                words[self.record + MRECORD.scanned] = self.scanned
                more = self.whenempty(wbuf)
                if not more:
                    self.putempty(wbuf, 544)
                    more = self.trygetfull(545)
                if not more:
                    return 0
                wbuf = more
            wbuf = self.scanobject(self.popobject(wbuf), wbuf)
        words[self.record + MRECORD.scanned] = self.scanned
        return wbuf

    def nextwork(self, wbuf: int, *, all: bool) -> int:  # noqa: A002  as above
        """A buffer with work for drainworkbuf, in exchange for its empty one; 0 at its end.  The caller owns it."""
        more = self.whenempty(wbuf)
        if more:
            return more
        self.putempty(wbuf, 496)
        if not all:
            self.checknocurrentwbuf()
            return 0
        more = self.getfull(504)
        if more:
            self.checknonempty(more)
        return more

    def whenempty(self, wbuf: int) -> int:  # noqa: ARG002  for the designs that have one
        """A further buffer of this M's, with work in it, in exchange for the caller's empty one; 0 if there is none."""
        return 0

    def popobject(self, wbuf: int) -> int:
        """Take the newest entry of a buffer that the caller owns and that is not empty."""
        words = self.port.words
        nobj = words[wbuf + NOBJ] - 1
        words[wbuf + NOBJ] = nobj
        return words[wbuf + OBJ + nobj]
