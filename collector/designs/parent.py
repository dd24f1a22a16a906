"""The design before the seed commit: an M keeps no buffer; a barrier takes one off a list and puts it back.

(Go 59495e8df, the parent of a15818fed303.)

Theory of operation.  shade takes a buffer off partial, or an empty one, greys, and puts the buffer on the list that its
filling says.  scanblock does the same in the scan phase, once for each block, and an assist puts back what it has left.
So whatever has been found lies on a list as soon as its finder is done with it: nothing is hidden in an M, there is
nothing to harvest, and every store of a pointer costs two operations on lists that all Ms share.

Guards.  I4 and I6 by having no cache: `currentwbuf` is 0 for good.

Not modelled.  The parent's shorter header: `WBUFSIZE` gives a buffer the parent's 125 entries.  The ownership checks, which
came with the seed, stay on, so that all designs are judged by the same ones.
"""

from __future__ import annotations

from collector.designs.design import Design
from collector.runtime import CollectorM
from workbuf.buffer import WORKBUF
from workbuf.entry import THROUGH_EMPTY
from workbuf.machine import WORD
from workbuf.throw import Throw


HEADER = 24
"""Bytes of the parent's header: a list node and the count."""
WBUFSIZE = 1024 - HEADER + WORKBUF.size * WORD


class Parent(CollectorM):
    """No cache on the M."""

    def getpartialorempty(self, entry: int) -> int:
        """Off partial, else an empty one; the caller owns it."""
        return self.poppartial(entry) or self.getempty(entry + THROUGH_EMPTY)

    def takecached(self) -> int:
        """There is none."""
        return 0

    def takecachedwork(self, entry: int) -> int:  # noqa: ARG002  as the seed's
        """There is none."""
        return 0

    def cache(self, b: int) -> int:
        """There is no cache: what the caller hands over it gets back, and throws, as the seed does of a lost buffer."""
        return b

    def checknocurrentwbuf(self) -> None:
        """There is none to forget."""

    def harvestwbufs(self) -> int:
        """There is nothing to harvest."""
        return 0

    def shade(self, b: int) -> None:
        """Grey the object that the heap address `b` lies in; a buffer is fetched even if there is none."""
        if not self.inheap(b):
            raise Throw("shade: passed an address not in the heap")
        wbuf = self.getpartialorempty(1181)
        obj, hbits, bits = self.heapBitsForObject(b)
        if obj:
            wbuf = self.greyobject(obj, 0, 0, hbits, bits, wbuf)
        self.putpartial(wbuf, 910)

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """As the seed's, with a buffer of its own for each block: `wbuf` is 0, and what is left goes to a list."""
        left = super().scanblock(b, n, ptrmask, wbuf)
        if left:
            self.putpartial(left, 455)
        return 0

    def drainobjects(self, wbuf: int, count: int) -> int:
        """As the seed's; a buffer that is left goes to a list."""
        left = super().drainobjects(wbuf, count)
        if left:
            self.putpartial(left, 525)
        return 0


DESIGN = Design(
    name="parent",
    when="January 2015",
    commits=("59495e8df",),
    what="No cache: a barrier takes a buffer of 125 entries off a list and puts it back.",
    m=Parent,
    wbufsize=WBUFSIZE,
)
