"""Allocation as a program calls it: mallocgc, then a request for a collection, or an assist.

(Go: the tail of mallocgc, malloc.go.)

Theory of operation.  When an eighth or less of the next goal remains and no collection is under way, the allocating
goroutine asks for one and goes on.  Otherwise, if its allocation refilled a cache or was large while one is under way, it
marks a little on the system stack, where it cannot be stopped.

Guards.  The assist happens between two safepoints, so what it leaves behind is on a list or in the cache when the world
stops (K-4).
"""

from __future__ import annotations

from mutator.heap import MSTATS, POISON, HeapLocal
from mutator.world import RUNTIME
from mutator.writebarrier import Writebarrier
from workbuf.machine import WORD
from workbuf.throw import Throw, println


TRIGGER_RATIO = 8
"""A collection starts when 1/8 of next_gc or less remains."""


class Alloc(Writebarrier, HeapLocal):
    """Allocation and checked access for programs."""

    def new(self, size: int, mask: int) -> int:
        """A zeroed object of `size` bytes whose pointer words are the bits of `mask`; returns its byte address.

        The address is the caller's only reference: it must be on the stack or in the heap by the next poll.
        """
        p = self.mallocgc(size, mask)
        if self.port.hint(self.working):
            if self.shouldhelpgc:
                self.locks += 1
                self.gchelpwork()
                self.locks -= 1
        elif self.triggered():
            self.gogc(0)
        return p

    def triggered(self) -> bool:
        """Is it time for a collection?  Hints: the counters move while they are read."""
        hint = self.port.hint
        next_gc = hint(self.mstats + MSTATS.next_gc)
        percent = hint(self.runtime + RUNTIME.gcpercent)
        left = next_gc - hint(self.mstats + MSTATS.heap_alloc)
        return percent < 1 << 63 and TRIGGER_RATIO * left <= next_gc

    def get(self, obj: int, word: int) -> int:
        """Word number `word` of the object at byte address `obj`; throws if the object has been freed."""
        value = self.port.hint(obj // WORD + word)
        if value == POISON:
            raise Throw("use after free", println("runtime: object", hex(obj), "word", word, "was freed"))
        return value

    def put(self, obj: int, word: int, value: int) -> None:
        """Store the pointer `value` in word `word` of the object at `obj`, with the write barrier."""
        self.writebarrierptr(obj + word * WORD, value)
