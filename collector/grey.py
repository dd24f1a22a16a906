"""The marking primitives: grey an object, scan an object, scan a block.  (Go: greyobject, scanobject, scanblock, mgc.go.)

Theory of operation.  White: not marked.  Grey: marked, and in some buffer.  Black: marked, in no buffer, scanned.
greyobject marks an object and appends it to the caller's buffer; scanobject looks at an object's pointer words and greys
what they point to.  The buffer is threaded through: every function takes the caller's and returns the one the caller
owns afterwards, because a full one is put on the full list and replaced on the way.

Guards.  I8: marking precedes queuing, and both lie between two safepoints.  I15: test and set of the mark are two steps,
so two markers may queue one object; it is then scanned twice, which is harmless.

Relied on.  Slots are read without ordering: whatever a racing mutator stores is shaded by its barrier or found when its
stack is scanned again.

Not modelled.  The arena snapshot (the arena is one fixed range).  A pointer to a freed object, which Go cannot see, throws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.drain import Drain
from mutator.heap import ALLOCATED, CHECKMARKED, DEAD, MARKED, POISON
from mutator.hooks import Hooks
from mutator.phase import GCscan
from mutator.world import RUNTIME
from workbuf.buffer import NOBJ, OBJ
from workbuf.machine import WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Grey(Drain, Hooks):
    """greyobject, scanobject, scanblock.  Objects are byte addresses, buffers cells."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.checkmarking = False
        """Is this the second, verifying mark (checkmark.py)?  Fixed while a mark lasts."""
        self.greybit = MARKED
        """The bit that says an object has been reached: CHECKMARKED in the verifying mark."""
        self.scanned = 0
        """Objects this M has scanned."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Mark the object at `obj` and append it to `wbuf`, which the caller owns; returns the buffer owned afterwards.

        `hbits` is the byte address of the object's bits and `bits` what the caller read there.  `base + off` is where
        the pointer to it was found, for messages.
        """
        if obj & (WORD - 1):
            raise Throw("greyobject: obj not pointer-aligned")
        if bits & self.greybit:
            return wbuf
        if not bits & ALLOCATED:
            raise Throw("found bad pointer in Go heap", *self.foundat(obj, base, off))
        if self.checkmarking:
            self.checkmark(obj, base, off, hbits, bits)
        else:
            # Another marker may be between the same two steps: both then queue the object (I15).
            self.port.or8(hbits, MARKED)
        if bits & DEAD:
            return wbuf
        words = self.port.words
        nobj = words[wbuf + NOBJ]
        if nobj >= self.len_obj:
            wbuf = self.whenfull(wbuf)
            nobj = words[wbuf + NOBJ]
        words[wbuf + OBJ + nobj] = obj
        words[wbuf + NOBJ] = nobj + 1
        return wbuf

    def whenfull(self, wbuf: int) -> int:
        """Give the full buffer `wbuf`, which the caller owns, to the consumers; returns one with room, then the caller's."""
        self.putfull(wbuf, 358)
        return self.getempty(359)

    def checkmark(self, obj: int, base: int, off: int, hbits: int, bits: int) -> None:
        """Give the object the verifying mark; throw if it was not reached by the first."""
        if not bits & MARKED:
            line = println("runtime:greyobject: checkmarks finds unexpected unmarked object obj=", hex(obj))
            raise Throw("checkmark found unmarked object", line, *self.foundat(obj, base, off))
        self.port.or8(hbits, CHECKMARKED)
        if not self.bitsat(hbits) & CHECKMARKED:
            raise Throw("setCheckmarked and isCheckmarked disagree")

    def foundat(self, obj: int, base: int, off: int) -> list[str]:
        """Where a bad pointer was found, in Go's words, and what is known of its source and of what it names."""
        where = f"runtime: found obj at *({base:#x}+{off:#x})"
        return [where, self.spandump("base", base), self.spandump("obj", obj)]

    def spandump(self, name: str, p: int) -> str:
        """One line about the span that the address `p` lies in."""
        span = self.factsof(p)
        if span is None:
            return println(f"runtime: {name}=", hex(p), "lies in no span")
        start, limit, elemsize = span[:3]
        bits = self.heapBitsForObject(p)[2]
        known = ("s.start=", hex(start), "s.limit=", hex(limit), "s.elemsize=", elemsize, "bits=", f"{bits:04b}")
        return println(f"runtime: {name}=", hex(p), *known)

    def scanobject(self, b: int, wbuf: int) -> int:
        """Grey what the heap object at or around `b` points to, if there is one; `wbuf` in and out as in greyobject."""
        if not self.arena_start <= b < self.arena_end:
            return wbuf
        page = (b - self.arena_start) >> self.page_shift
        span = self.spanof.get(page) or self.spanfacts(page)
        if span is None or b >= span[1]:
            return wbuf
        start, _, elemsize, _, _, masks, maskwords = span
        self.scanned += 1
        index = (b - start) // elemsize
        b = start + index * elemsize
        cell = b // WORD
        mask = masks + index * maskwords
        words = self.port.words
        for at in range(maskwords):
            wbuf = self.scanwords(cell + 64 * at, words[mask + at], b, wbuf)
        return wbuf

    def scanwords(self, cell: int, mask: int, base: int, wbuf: int) -> int:
        """Grey what those words from `cell` point to whose bits are set in `mask`; `wbuf` in and out as in greyobject.

        `base` is the object or block they are in, for messages.
        """
        hint, load = self.port.hint, self.port.load
        low, high, shift, greybit = self.arena_start, self.arena_end, self.page_shift, self.greybit
        spanof = self.spanof
        for i in self.pointers_of(mask):
            p = hint(cell + i)
            if not low <= p < high:
                if p == POISON:
                    at = (cell + i) * WORD
                    raise Throw("use after free", *self.foundat(p, base, at - base))
                continue
            page = (p - low) >> shift
            span = spanof.get(page) or self.spanfacts(page)
            if span is None:
                continue
            start, limit, elemsize, _, objs, _, _ = span
            if p >= limit:
                continue
            index = (p - start) // elemsize
            hbits = objs + index
            # Ordered: the object may be fresh from another M, and whoever takes it from the buffer reads its mask plainly.
            bits = load(hbits // WORD) >> (hbits % WORD * 8)
            if not bits & greybit:
                wbuf = self.greyobject(start + index * elemsize, base, (cell + i) * WORD - base, hbits, bits, wbuf)
        return wbuf

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Scan the block of `n` bytes at `b`; `ptrmask` is the cell of its pointer bitmap, 0 for a heap object.

        `wbuf` is a buffer that the caller owns and gives up, or 0: then one is got.  Scan phase: returns the buffer, which
        the caller owns.  Later phases: goes on to scan everything that ends up in its own buffer, consumes it and returns
        0.  `b` 0: scans queued work until none is left anywhere.
        """
        self.refresh_spans()
        wbuf = wbuf or self.getpartialorempty(460)
        if b:
            wbuf = self.scanmasked(b, n, ptrmask, wbuf) if ptrmask else self.scanobject(b, wbuf)
            if self.port.words[self.gcphase] == GCscan:
                if self.inheap(b) and not ptrmask:
                    raise Throw("scanblock: In GCscan phase and inheap is true.")
                return wbuf
        self.drainworkbuf(wbuf, all=b == 0)
        self.checknocurrentwbuf()
        return 0

    def scanmasked(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Grey what the words of a block with a bitmap point to; `wbuf` in and out as in greyobject."""
        words = self.port.words
        cell, n = b // WORD, n // WORD
        for at in range(n // 64):
            wbuf = self.scanwords(cell + 64 * at, words[ptrmask + at], b, wbuf)
        if n % 64:
            # The bitmap may go on behind the block: a finalizer block's covers the entries that are not in use too.
            rest = words[ptrmask + n // 64] & (1 << n % 64) - 1
            wbuf = self.scanwords(cell + n - n % 64, rest, b, wbuf)
        return wbuf

    def readcheckmark(self) -> None:
        """Learn, as a marker that starts, whether this mark is the verifying one."""
        self.checkmarking = self.port.words[self.runtime + RUNTIME.checkmarkphase] != 0
        self.greybit = CHECKMARKED if self.checkmarking else MARKED
