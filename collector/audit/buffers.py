"""Conservation of work buffers: every buffer ever made is in exactly one place, and holds what that place allows.

I1: a buffer is on one list or in one cache (in the stopped world no thread holds one, I5).  I2: a buffer on the empty list
holds nothing, one on full 1 entry to its capacity, one on partial less than that.  I3: it is in use exactly when it is in a
cache.  I7: after mark termination all lists but empty are empty and all caches 0.

It walks the three lists through their packed `next` words and every M's cache, and compares what it finds with the
register of all buffers made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from workbuf.buffer import WORKBUF, capacity
from workbuf.entry import decode
from workbuf.lfstack import NEXT, unpack
from workbuf.local import MLOCAL, WORK


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbuf.local import Globals
    from workbuf.machine import Words


@dataclass(frozen=True)
class Places:
    """Where the buffers are, each a list of their cells."""

    made: list[int]
    empty: list[int]
    partial: list[int]
    full: list[int]
    cached: list[int]

    @property
    def leaked(self) -> list[int]:
        """Buffers that are nowhere."""
        return sorted(set(self.made) - {*self.empty, *self.partial, *self.full, *self.cached})


def history(words: Words, b: int) -> list[str]:
    """The buffer's ownership history, newest first, decoded."""
    lines = [f"runtime: buffer {b * 8:#x} nobj={words[b + WORKBUF.nobj]} inuse={words[b + WORKBUF.inuse]}"]
    lines += [f"  log[{i}] {decode(words[b + WORKBUF.log0 + i])}" for i in range(4)]
    return lines


def registered(world: Globals, words: Words) -> list[int]:
    """Every buffer ever made."""
    made = []
    link = words[world.work + WORK.allbuffers]
    while link:
        made.append(words[link])
        link = words[link + 1]
    return made


def onlist(head: int, words: Words, limit: int) -> Iterator[int]:
    """The buffers on the list whose head word is at `head`, at most `limit + 1` of them (a list may have become a ring)."""
    val = words[head]
    for _ in range(limit + 1):
        if not val:
            return
        b = unpack(val) // 8
        yield b
        val = words[b + NEXT]


def places(world: Globals, words: Words, ms: Sequence[int]) -> Places:
    """Where every buffer is.  `ms` are the records of all Ms.  The world is stopped."""
    made = registered(world, words)
    heads = (world.work + head for head in (WORK.empty, WORK.partial, WORK.full))
    empty, partial, full = (list(onlist(head, words, len(made))) for head in heads)
    cells = [m + cache for m in ms for cache in (MLOCAL.currentwbuf, MLOCAL.wbuf2)]
    cached = [words[cell] // 8 for cell in cells if words[cell]]
    return Places(made, empty, partial, full, cached)


def check(world: Globals, words: Words, ms: Sequence[int]) -> Places:
    """Throw a Violation unless I1, I2 and I3 hold."""
    where = places(world, words, ms)
    seen: dict[int, str] = {}
    known = set(where.made)
    full = capacity(world.wbufsize)
    for name, buffers, low, high, inuse in (
        ("empty", where.empty, 0, 0, 0),
        ("partial", where.partial, 1, full - 1, 0),
        ("full", where.full, 1, full, 0),
        ("cached", where.cached, 0, full, 1),
    ):
        for b in buffers:
            if b not in known:
                raise Violation("leak", f"{name}: {b * 8:#x} is no buffer")
            if b in seen:
                text = f"a buffer is in two places: {seen[b]} and {name}"
                raise Violation("leak", text, *history(words, b), buffer=b)
            seen[b] = name
            nobj = words[b + WORKBUF.nobj]
            if not low <= nobj <= high:
                text = f"a buffer on {name} holds {nobj} entries"
                raise Violation("leak", text, *history(words, b), buffer=b)
            if words[b + WORKBUF.inuse] != inuse:
                text = f"a buffer on {name} is marked in use: {words[b + WORKBUF.inuse]}"
                raise Violation("leak", text, *history(words, b), buffer=b)
    if where.leaked:
        b = where.leaked[0]
        text = f"{len(where.leaked)} of {len(where.made)} buffers are in nobody's hands and on no list"
        raise Violation("leak", text, *history(words, b), buffer=b, count=len(where.leaked))
    return where


def checkdrained(where: Places, words: Words) -> None:
    """Throw a Violation unless, mark termination being over, only the empty list holds buffers (I7)."""
    for name, buffers in (("full", where.full), ("partial", where.partial), ("an M's cache", where.cached)):
        if buffers:
            text = f"mark termination is over and {name} still holds a buffer ({len(buffers)} in all)"
            raise Violation("lists", text, *history(words, buffers[0]), buffer=buffers[0])
