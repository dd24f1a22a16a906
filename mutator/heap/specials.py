"""Specials and the finalizer queue.  (Go: addspecial, removespecial, addfinalizer, freespecial, queuefinalizer, mheap.go.)

Theory of operation.  A special is a record attached to an object; those of a span form a list sorted by offset, then kind.
A finalizer is a special whose object is given one more life: sweep finds it unmarked, takes the special off, queues the
closure with the object and keeps both alive for that round.  The queue is a list of blocks; all blocks ever made stay
linked through `alllink`, because their entries are roots.

Guards.  A list is changed under its span's `speciallock`, after the span was swept; the sweeper, which has the span to
itself, takes no lock.

Relied on.  The collector walks the lists without the lock.  That is safe in the stopped world; in the scan phase it races
(O-19), so links are stored last, a special that was removed has kind 0 before anything else about it changes, and its
record is only ever used for specials again: a walk may miss one or see one twice, and ends.

Not modelled.  Profile records, the only other kind there is in Go; other kinds than finalizers go with their object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.heap.bits import DEAD
from mutator.heap.pages import Pages
from mutator.heap.record import FIN, FINALIZER, FINBLOCK, MHEAP, SPAN, SPECIAL
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from collections.abc import Iterator

    from mutator.world import World
    from workbuf.machine import Port


TINY_SIZE = 16
"""Go's _TinySize: bytes of a block of tiny objects."""


class Specials(Pages):
    """Specials and finalizers.  `p` is an object's byte address, `special` the cell of a record."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        heap = world.heap
        self.finlock = heap.mheap + MHEAP.finlock
        self.finentries = heap.finentries

    def ensure_swept(self, span: int) -> None:
        """Sweep the span, or wait until the M that is sweeping it is done (sweep.py)."""
        raise NotImplementedError

    def specials(self, span: int) -> Iterator[int]:
        """The specials of a span, as the collector walks them: without the lock."""
        special = self.port.hint(span + SPAN.specials)
        while special:
            yield special
            special = self.port.hint(special + SPECIAL.next)

    def setfinalizer(self, p: int, fn: int) -> None:
        """Have `fn`, a pointer, queued with the object at `p` once that is unreachable; 0 takes the finalizer away.

        `p` may lie inside a small object without pointers: Go puts several such objects into one (tiny allocation).
        """
        base, _, bits = self.heapBitsForObject(p)
        if not base:
            raise Throw("runtime.SetFinalizer: pointer not in heap", println("runtime: p=", hex(p)))
        if base != p and not (bits & DEAD and self.port.hint(self.spanOf(p) + SPAN.elemsize) <= TINY_SIZE):
            raise Throw("runtime.SetFinalizer: pointer not at beginning of allocated block", f"runtime: p={p:#x}")
        if fn == 0:
            self.removespecial(p, FINALIZER)
        elif not self.addspecial(p, FINALIZER, fn):
            raise Throw("runtime.SetFinalizer: finalizer already set", println("runtime: p=", hex(p)))

    def addspecial(self, p: int, kind: int, fn: int) -> bool:
        """Attach a special to the object at `p`; False if it has one of that kind."""
        port, words = self.port, self.port.words
        span, offset = self._special_span(p, "addspecial on invalid pointer")
        lock = span + SPAN.speciallock
        port.lock(lock)
        link, found = self._findspecial(span, offset, kind)
        if not found:
            port.lock(self.heaplock)
            special = self.newspecial()
            port.unlock(self.heaplock)
            port.post(special + SPECIAL.offset, offset)
            port.post(special + SPECIAL.fn, fn)
            port.post(special + SPECIAL.next, words[link])
            port.post(special + SPECIAL.kind, kind)
            # Last: a collector that walks the list meets a whole record or none.
            port.post(link, special)
        port.unlock(lock)
        return not found

    def removespecial(self, p: int, kind: int) -> bool:
        """Take the special of that kind off the object at `p`; False if it has none."""
        port = self.port
        span, offset = self._special_span(p, "removespecial on invalid pointer")
        lock = span + SPAN.speciallock
        port.lock(lock)
        link, found = self._findspecial(span, offset, kind)
        if found:
            self.unlinkspecial(link)
        port.unlock(lock)
        return found

    def unlinkspecial(self, link: int) -> None:
        """Remove the special that the cell `link` points to.  The caller has its span's list to itself."""
        port, words = self.port, self.port.words
        special = words[link]
        port.post(link, words[special + SPECIAL.next])
        port.post(special + SPECIAL.kind, 0)
        port.lock(self.heaplock)
        port.post(special + SPECIAL.next, words[self.mheap + MHEAP.deadspecials])
        words[self.mheap + MHEAP.deadspecials] = special
        port.unlock(self.heaplock)

    def _special_span(self, p: int, complaint: str) -> tuple[int, int]:
        """The span of `p`, swept, and the offset of `p` in it."""
        span = self.spanOf(p)
        if not span:
            raise Throw(complaint, println("runtime: p=", hex(p)))
        # Otherwise the sweeper may be changing the list without the lock.
        self.ensure_swept(span)
        return span, p - self.port.words[span + SPAN.start]

    def _findspecial(self, span: int, offset: int, kind: int) -> tuple[int, bool]:
        """The link behind which (offset, kind) is or belongs, and whether it is there."""
        words = self.port.words
        link = span + SPAN.specials
        while words[link]:
            special = words[link]
            key = words[special + SPECIAL.offset], words[special + SPECIAL.kind]
            if key >= (offset, kind):
                return link, key == (offset, kind)
            link = special + SPECIAL.next
        return link, False

    # The queue.

    def queuefinalizer(self, arg: int, fn: int) -> None:
        """Queue the call of `fn` with the object `arg`."""
        port, words = self.port, self.port.words
        port.lock(self.finlock)
        block = self.finblock()
        cnt = words[block + FINBLOCK.cnt]
        entry = self._entry(block, cnt)
        port.post(entry + FIN.fn, fn)
        port.post(entry + FIN.arg, arg)
        # After the entry: the collector, which takes no lock, looks at `cnt` entries.
        port.post(block + FINBLOCK.cnt, cnt + 1)
        port.post(self.mheap + MHEAP.fingwake, 1)
        port.unlock(self.finlock)

    def finblock(self) -> int:
        """The queue's first block, with room for an entry; under finlock."""
        words = self.port.words
        block = words[self.mheap + MHEAP.finq]
        if block == 0 or words[block + FINBLOCK.cnt] == self.finentries:
            block = words[self.mheap + MHEAP.finc] or self._newfinblock()
            words[self.mheap + MHEAP.finc] = words[block + FINBLOCK.next]
            words[block + FINBLOCK.next] = words[self.mheap + MHEAP.finq]
            words[self.mheap + MHEAP.finq] = block
        return block

    def takefinalizer(self) -> tuple[int, int] | None:
        """Take one call off the queue: (fn, arg), or None.

        They are nobody's roots any more: the caller puts both on its stack before its next safepoint.
        """
        port, words = self.port, self.port.words
        taken = None
        port.lock(self.finlock)
        block = words[self.mheap + MHEAP.finq]
        if block:
            cnt = words[block + FINBLOCK.cnt] - 1
            entry = self._entry(block, cnt)
            taken = words[entry + FIN.fn], words[entry + FIN.arg]
            port.post(block + FINBLOCK.cnt, cnt)
            port.post(entry + FIN.fn, 0)
            port.post(entry + FIN.arg, 0)
            if cnt == 0:
                words[self.mheap + MHEAP.finq] = words[block + FINBLOCK.next]
                words[block + FINBLOCK.next] = words[self.mheap + MHEAP.finc]
                words[self.mheap + MHEAP.finc] = block
        else:
            port.post(self.mheap + MHEAP.fingwake, 0)
        port.unlock(self.finlock)
        return taken

    def finblocks(self) -> Iterator[int]:
        """Every finalizer block; its entries, FINBLOCK.cnt times FIN, follow its header."""
        block = self.port.hint(self.mheap + MHEAP.allfin)
        while block:
            yield block
            block = self.port.hint(block + FINBLOCK.alllink)

    def _entry(self, block: int, at: int) -> int:
        return block + FINBLOCK.size + at * FIN.size

    def _newfinblock(self) -> int:
        """A further block, linked behind `allfin`; the caller holds the queue's lock."""
        port, words = self.port, self.port.words
        size = FINBLOCK.size + self.finentries * FIN.size
        block = port.sysalloc(size)
        port.label(block, size, "finblock", FINBLOCK.fields)
        port.post(block + FINBLOCK.alllink, words[self.mheap + MHEAP.allfin])
        port.post(self.mheap + MHEAP.allfin, block)
        return block
