"""The design of Go 1.6: two buffers of 2 kB to each P, and no partial list.

(Go b6c0934a9b, feb92a8e8c, 1870572180.)

Theory of operation.  A P has two buffers.  When the one in use is full, or empty, it is exchanged with the other; only when
both are full is one given away, only when both are empty is one fetched.  So work at a buffer's end costs no list operation
for each object (K-9): whoever has just fetched or given one can take and put a whole buffer's worth before the next.  A P
that gets its first buffer takes a full one for the second, if there is one.

Guards.  I1: `wbuf2` is a cache like the first, and is flushed with it.  It is changed where the first is in somebody's hand.
"""

from __future__ import annotations

from collector.designs.design import Design
from collector.designs.go15 import Go15
from mutator.world import MRECORD
from workbuf.buffer import NOBJ
from workbuf.entry import THROUGH_EMPTY
from workbuf.machine import WORD


class Go16(Go15):
    """Two buffers."""

    def exchange(self, b: int) -> int:
        """Make `b` (0: none), which the caller owns, the second buffer; returns the one that was, then the caller's."""
        words, cell = self.port.words, self.record + MRECORD.wbuf2
        before = words[cell] // WORD
        words[cell] = b * WORD
        return before

    def second(self) -> int:
        """The second buffer, 0 if there is none, where it is."""
        return self.port.words[self.record + MRECORD.wbuf2] // WORD

    def getpartialorempty(self, entry: int) -> int:
        """This P's first buffer, else an empty one; the caller owns it."""
        return self.takecached() or self.getempty(entry + THROUGH_EMPTY)

    def producing(self) -> int:
        """The first buffer, else an empty one, and for the second one with work in it (gcWork.init)."""
        b = self.takecached()
        if not b:
            b = self.getempty(1181 + THROUGH_EMPTY)
            if not self.second():
                self.exchange(self.popfull(1228))
        return b

    def whenfull(self, wbuf: int) -> int:
        """The other, if it has room; if both are full, one is given away."""
        other = self.exchange(wbuf)
        if other and self.port.words[other + NOBJ] < self.len_obj:
            return other
        if other:
            self.putfull(other, 358)
        return self.getempty(359)

    def whenempty(self, wbuf: int) -> int:
        """The other, if it has work."""
        other = self.second()
        if not other or self.port.words[other + NOBJ] == 0:
            return 0
        return self.exchange(wbuf)

    def handoff(self, b: int) -> int:
        """The second buffer, if it has work; else half of `b`."""
        other = self.second()
        if not other or self.port.words[other + NOBJ] == 0:
            return super().handoff(b)
        self.exchange(0)
        self.putfull(other, 942)
        return b

    def leave(self, b: int) -> None:
        """Both stay with this P, full or empty, unless caching is off."""
        if self.promptly():
            self.dispose(b)
            self.drop()
        else:
            self.keep(b)

    def drop(self) -> None:
        """Put the second buffer on a list."""
        other = self.exchange(0)
        if other:
            self.dispose(other)

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """As before; who has marked to the end has no second buffer any more."""
        left = super().scanblock(b, n, ptrmask, wbuf)
        if not left:
            self.drop()
        return left


DESIGN = Design(
    name="go1.6",
    when="February 2016",
    commits=("b6c0934a9b", "feb92a8e8c", "1870572180"),
    what="Two buffers of 247 entries to each P, exchanged at their ends; no partial list.",
    m=Go16,
    wbufsize=2048,
)
