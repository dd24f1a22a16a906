"""The flat memory of real threads: one anonymous mapping of 64-bit words, handed out from the front.

The mapping is reserved whole and gets its pages, zeroed, when they are first touched, so a large reservation costs
address space only.  `take` moves a cursor; nothing is ever given back, as with Go's sysAlloc under persistentalloc.
Cell 0 is nil and never handed out.

It needs a little-endian machine, where byte k of a word is its bits 8k to 8k+7: `or8` and all decoders assume that.

Nothing is ever unmapped.  Where the system refuses 4 GiB (a limit on address space, strict overcommit), less is
reserved.
"""

from __future__ import annotations

import mmap
import sys
from threading import Lock

from workbuf.machine import WORD


RESERVED = 4 << 30
"""Bytes reserved by default."""
LEAST = 64 << 20
"""Bytes below which the default is not halved any further."""

if sys.platform == "linux":
    # Python 3.11 and 3.12 do not name MAP_NORESERVE; 0x4000 is Linux's number for it.
    _FLAGS = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)}
else:
    _FLAGS = {}


class Memory:
    """`words` 64-bit words, zeroed; `map` is the mapping, which every port looks into through handles of its own."""

    def __init__(self, words: int | None = None) -> None:
        """Reserve exactly `words`, or by default 4 GiB, halved as often as the system refuses.

        Raises MemoryError if the system refuses, ValueError for a size that cannot be meant, RuntimeError on a
        big-endian machine.
        """
        if sys.byteorder != "little":
            raise RuntimeError("real threads need a little-endian machine: bytes of a word are addressed by its value")
        if words is not None and words < 1:
            raise ValueError(f"a memory of {words} words: give at least 1")
        self.map = reserve(RESERVED, LEAST) if words is None else reserve(words * WORD, words * WORD)
        self.words = len(self.map) // WORD
        self._next = 1
        self._lock = Lock()

    def take(self, n: int, align: int = 1) -> int:
        """`n` cells that nobody had before, the first at a multiple of `align`; returns the first.

        Raises MemoryError when the memory is used up.
        """
        if n < 0 or align < 1:
            raise ValueError(f"{n} cells at a multiple of {align}: neither may be smaller than 0 and 1")
        with self._lock:
            start = -(-self._next // align) * align
            if start + n > self.words:
                raise MemoryError(
                    f"the memory of {self.words} words is used up: {n} more do not fit behind the first {self._next};"
                    " give HardwareMachine more words"
                )
            self._next = start + n
        return start


def reserve(size: int, least: int) -> mmap.mmap:
    """An anonymous private mapping of `size` bytes, or of a half, a quarter... of it, but `least` at least."""
    while True:
        try:
            return mmap.mmap(-1, size, **_FLAGS)
        except (OSError, OverflowError) as error:
            if size // 2 < least:
                raise MemoryError(f"the system refuses a memory of {size} bytes: {error}") from error
            size //= 2
