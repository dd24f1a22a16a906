"""The write barrier's call site.  (Go: writebarrierptr, needwb, gcmarkwb_m, mbarrier.go.)

Theory of operation.  A coarsened Dijkstra barrier: store first, then, in mark and mark termination, shade what was stored,
whatever the colour of the object stored into.  The pair has no safepoint inside, so for a goroutine with a P it is
atomic with respect to a stop of the world.  Stores into one's own stack have no barrier; stacks are scanned again instead.

Guards.  I9: no black-to-white edge between heap objects at a safepoint of the mark.  "A write barrier needs a P": without
one the stop of the world does not wait for us and the shade may come too late (K-1, O-1); this is Go's own rule of
41dbcc19ef and corrects the seed.

Not modelled.  The bulk forms (typedmemmove and its kin apply this one word by word); shadow mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.spans import Spans
from mutator.phase import GCmark, GCmarktermination, GCoff, GCquiesce, GCscan, GCstw, GCsweep
from mutator.safepoint import Safepoint
from workbuf.machine import WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


FIRST_PAGE = 4096
"""No object lies below this address, unless the arena of a model with little pages begins there."""
POISON_STACK = 0x6868686868686868
"""What Go writes over a stack it has left."""


class Writebarrier(Spans, Safepoint):
    """Pointer stores.  A slot `dst` is a byte address."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.lowest = min(FIRST_PAGE, world.heap.arena_start)
        """A pointer smaller than this, nil apart, is none."""

    def needwb(self) -> bool:
        """Does a pointer store need a barrier in this phase?  Plain: the phase changes only while the world is stopped."""
        return self.port.words[self.gcphase] in (GCmark, GCmarktermination)

    def writebarrierptr(self, dst: int, src: int) -> None:
        """`*dst = src` for a pointer."""
        if not self.needwb():
            self.port.post(dst // WORD, src)
            return
        if src != 0 and (src < self.lowest or src == POISON_STACK):
            raise Throw("bad pointer in write barrier", println("runtime: writebarrierptr *", hex(dst), "=", hex(src)))
        self.port.post(dst // WORD, src)
        self.writebarrierptr_nostore1(src)

    def writebarrierptr_nostore1(self, src: int) -> None:
        """The barrier without the store.  One inside another is dropped, as in Go."""
        if self.inwb:
            return
        self.writebarrier_needs_p(src)
        self.locks += 1
        self.inwb = True
        self.gcmarkwb_m(src)
        self.inwb = False
        self.locks -= 1

    def writebarrier_needs_p(self, src: int) -> None:
        """Throw if `src` lies in the heap and this M has no P (41dbcc19ef): nothing else is shaded."""
        if not self.p and self.inheap(src):
            raise Throw("writebarrierptr_nostore1 called with mp.p == nil")

    def gcmarkwb_m(self, ptr: int) -> None:
        """Shade `ptr` if it points into the heap and the phase is one that shades; scan does for sends only."""
        phase = self.port.words[self.gcphase]
        if phase in (GCscan, GCmark, GCmarktermination):
            if ptr != 0 and self.inheap(ptr):
                self.shade(ptr)
        elif phase not in (GCoff, GCquiesce, GCstw, GCsweep):
            raise Throw("gcphasework in bad gcphase")

    def sendbarrier(self, dst: int, src: int) -> None:
        """`*dst = src` where `dst` is a slot on another, blocked goroutine's stack (80ec711755, 1303957dbf).

        The collector takes a blocked goroutine's stack to be unchanged since it scanned it, so the value must be shaded
        even in the scan phase, when ordinary stores are not (K-16).
        """
        self.port.post(dst // WORD, src)
        if self.port.words[self.gcphase] in (GCscan, GCmark, GCmarktermination):
            self.writebarrierptr_nostore1(src)
