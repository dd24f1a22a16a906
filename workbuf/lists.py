"""The three lists of work buffers, and the operations that put buffers on and take them off.

(Go: getempty .. trygetfull, mgc.go.)

Theory of operation.  **empty** holds drained buffers.  **full** holds any non-empty buffer offered to consumers, despite
its name.  **partial** holds partly filled buffers offered to producers first (getpartialorempty) and to consumers as a
second choice; only markroot's exit and shade in mark termination put there.  Each M also caches one buffer
(`currentwbuf`), so that a write barrier or a stack scan need not touch a list.

Guards.  I1: a buffer is on one list, in one hand or in one cache.  I2: what lies on which list holds how much.  I3: in
use exactly when in a hand or a cache.  Every function below says who owns the buffer before and after it.

Relied on.  lfstack makes a hand-over exact: the owner's plain writes to the buffer come before its push, a getter's
reads after its pop.  Buffers are never given back (K-20).
"""

from __future__ import annotations

from workbuf.buffer import NOBJ, WORKBUF, Buffers
from workbuf.entry import THROUGH_EMPTY, THROUGH_FULL, TO_EMPTY
from workbuf.events import EMPTY, FULL, PARTIAL, Event
from workbuf.lfstack import Lfstack
from workbuf.local import WORK, Globals
from workbuf.machine import WORD, Port
from workbuf.throw import Throw


CACHE_LINE = 64
"""Bytes to which a buffer is aligned (_CacheLineSize)."""
MAX_BLOCK = 64 << 10
"""A block at least this large does not come out of a chunk."""


class Lists(Buffers, Lfstack):
    """The list operations.  A buffer is named by its cell; 0 is Go's nil."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        self.work_full = world.work + WORK.full
        self.work_empty = world.work + WORK.empty
        self.work_partial = world.work + WORK.partial
        self.chunk = world.persistentchunk
        self.names = (*WORKBUF.fields, *(f"obj[{i}]" for i in range(self.len_obj)))

    def getempty(self, entry: int) -> int:
        """An empty buffer off the empty list, or a new one.  The caller owns it."""
        b = 0
        if self.port.hint(self.work_empty) != 0:
            b = self.lfstackpop(self.work_empty)
            if b:
                # Before logget: should it fail, the history printed is that of the four previous owners.
                self.checkempty(b)
        if not b:
            b = self.newbuffer()
        self.logget(b, entry)
        self.port.event(Event.GET, b, entry, EMPTY)
        return b

    def newbuffer(self) -> int:
        """A zeroed buffer that was on no list yet; the caller owns it and logs that."""
        port = self.port
        words = port.words
        lock = self.work + WORK.persistent_lock
        port.lock(lock)
        b = self.persistentalloc1(self.wbufsize, CACHE_LINE) // WORD
        link = self.persistentalloc1(2 * WORD, WORD) // WORD
        words[link], words[link + 1] = b, words[self.work + WORK.allbuffers]
        words[self.work + WORK.allbuffers] = link
        words[self.work + WORK.nbuffers] += 1
        number = words[self.work + WORK.nbuffers]
        port.unlock(lock)
        port.label(b, len(self.names), f"wbuf{number}", self.names)
        port.event(Event.NEW, b, number)
        return b

    def putempty(self, b: int, entry: int) -> None:
        """Put an empty buffer that the caller owns on the empty list; it must not be touched afterwards."""
        self.checkempty(b)
        self.logput(b, entry)
        self.port.event(Event.PUT, b, entry, EMPTY)
        self.lfstackpush(self.work_empty, b)

    def putfull(self, b: int, entry: int) -> None:
        """Offer a buffer that the caller owns, full or only partly filled, to the consumers; not touched afterwards."""
        self.checknonempty(b)
        self.logput(b, entry)
        self.port.event(Event.PUT, b, entry, FULL)
        self.lfstackpush(self.work_full, b)

    def getpartialorempty(self, entry: int) -> int:
        """A buffer with room, for a producer: this M's cached one, else off partial, else an empty one.  Caller owns it.

        A cached buffer comes back as it is, even full: `nobj <= len(obj)` always holds (O-3; `<` was meant), so the
        branch behind it is dead and stays as Go has it.
        """
        port = self.port
        if port.hint(self.currentwbuf) != 0:
            b = self.takecached()
            if b:
                if port.words[b + NOBJ] <= self.len_obj:
                    return b
                self.putfull(b, entry + THROUGH_FULL)
        return self.poppartial(entry) or self.getempty(entry + THROUGH_EMPTY)

    def putpartial(self, b: int, entry: int) -> None:
        """Put a buffer that the caller owns where its filling says: empty, partial or full; not touched afterwards."""
        nobj = self.port.words[b + NOBJ]
        if nobj == 0:
            self.putempty(b, entry + TO_EMPTY)
        elif nobj < self.len_obj:
            self.logput(b, entry)
            self.port.event(Event.PUT, b, entry, PARTIAL)
            self.lfstackpush(self.work_partial, b)
        elif nobj == self.len_obj:
            self.logput(b, entry)
            self.port.event(Event.PUT, b, entry, FULL)
            self.lfstackpush(self.work_full, b)
        else:
            raise Throw("putpartial: bad Workbuf b.nobj", buffer=b)

    def trygetfull(self, entry: int) -> int:
        """A non-empty buffer for a consumer, without waiting: full, partial, own cache; 0 if none.  Caller owns it."""
        b = self.popfull(entry) or self.poppartial(entry)
        if b:
            self.checknonempty(b)
            return b
        return self.takecachedwork(839)

    def popfull(self, entry: int) -> int:
        """A buffer off full, logged, or 0.  The caller owns it."""
        b = self.lfstackpop(self.work_full)
        if b:
            self.logget(b, entry)
            self.port.event(Event.GET, b, entry, FULL)
        return b

    def poppartial(self, entry: int) -> int:
        """A buffer off partial, logged, or 0.  The caller owns it."""
        b = self.lfstackpop(self.work_partial)
        if b:
            self.logget(b, entry)
            self.port.event(Event.GET, b, entry, PARTIAL)
        return b

    def takecachedwork(self, entry: int) -> int:
        """This M's cached buffer if it holds anything, unlogged; an empty one goes to the empty list under `entry`."""
        if self.port.hint(self.currentwbuf) != 0:
            b = self.takecached()
            if b:
                if self.port.words[b + NOBJ] != 0:
                    return b
                self.putempty(b, entry)
        return 0

    def takecached(self) -> int:
        """This M's cached buffer or 0; the caller owns it.  An exchange, because harvestwbufs may be taking it too."""
        b = self.port.xchg(self.currentwbuf, 0) // WORD
        if b:
            self.port.event(Event.UNCACHED, b)
        return b

    def cache(self, b: int) -> int:
        """Leave the buffer `b` (0: none), which the caller owns, in this M's cache; returns what was there, normally 0."""
        if b:
            self.port.event(Event.CACHED, b)
        return self.port.xchg(self.currentwbuf, b * WORD) // WORD

    def checknocurrentwbuf(self) -> None:
        """Throw if this M caches a buffer: the caller is about to leave buffers to others and would forget it (I4)."""
        if self.port.hint(self.currentwbuf) != 0:
            raise Throw("unexpected currentwbuf")

    def persistentalloc(self, size: int, align: int) -> int:
        """`size` zeroed bytes that are never given back; returns the byte address.  (Go: persistentalloc, malloc.go.)

        `align` is in bytes, a power of 2 up to a page, 0 for a word.  Bumped out of chunks, under a mutex.
        """
        if size == 0:
            raise Throw("persistentalloc: size == 0")
        if align & (align - 1):
            raise Throw("persistentalloc: align is not a power of 2")
        if align > PAGE_SIZE:
            raise Throw("persistentalloc: align is too large")
        if size >= MAX_BLOCK:
            return self.sysalloc(size, max(align, WORD))
        lock = self.work + WORK.persistent_lock
        self.port.lock(lock)
        p = self.persistentalloc1(size, align or WORD)
        self.port.unlock(lock)
        return p

    def persistentalloc1(self, size: int, align: int) -> int:
        """The same with the mutex held by the caller, for less than MAX_BLOCK bytes."""
        words = self.port.words
        at, end = self.work + WORK.persistent_at, self.work + WORK.persistent_end
        p = (words[at] + align - 1) & -align
        if words[at] == 0 or p + size > words[end]:
            chunk = max(self.chunk, size + align)
            start = self.sysalloc(chunk, CACHE_LINE)
            p = (start + align - 1) & -align
            words[end] = start + chunk
        words[at] = p + size
        return p

    def sysalloc(self, size: int, align: int) -> int:
        """`size` bytes from the machine at a multiple of `align`, both in whole words; returns the byte address."""
        try:
            return self.port.sysalloc(-(-size // WORD), align // WORD) * WORD
        except MemoryError as error:
            raise Throw("runtime: cannot allocate memory", str(error)) from error


PAGE_SIZE = 8192
"""Go's _PageSize, the largest alignment persistentalloc gives."""
