"""The way to the nearest lost object: a shortest path from a root, found in the stopped world in which it was lost.

All objects on the path are marked but the last.  If the one before it is still queued, marked and not scanned, then the
buffer is named that it lies in, and where that buffer is.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from collector.audit.buffers import registered
from collector.audit.lostpath import LostPath, Queued, Root
from collector.audit.traverse import Traversal
from mutator.heap import ALLOCATED, FIN, FINBLOCK, MARKED, MHEAP, SPECIAL
from mutator.stack import FRAME
from mutator.world import GDEAD, GSCAN, RUNTIME, G
from workbuf.buffer import NOBJ, OBJ
from workbuf.local import MLOCAL


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mutator.world import World
    from workbuf.machine import Words


def nearest(world: World, words: Words, ms: Sequence[int]) -> LostPath | None:
    """The way to the lost object that is nearest to a root; None if none is lost.  The world is stopped."""
    heap = Traversal(world, words)
    came: dict[int, tuple[int, int]] = {}
    """From an object to the cell by which it was reached, and the object that lies in, 0 for a root."""
    roots: dict[int, Root] = {}
    waiting: deque[int] = deque()

    def reach(cell: int, holder: int) -> int:
        """The object that the cell points to if that is lost; a marked one that is new waits for its turn."""
        place = heap.locate(words[cell])
        if place is None:
            return 0
        span, index = place
        obj = span.start + index * span.elemsize
        if obj in came or not span.bits[index] & ALLOCATED:
            return 0
        came[obj] = cell, holder
        if span.bits[index] & MARKED:
            waiting.append(obj)
            return 0
        return obj

    for root, cell in rooted(heap):
        roots.setdefault(cell, root)
        lost = reach(cell, 0)
        if lost:
            return LostPath(root, (cell,), (lost,))
    while waiting:
        obj = waiting.popleft()
        place = heap.locate(obj)
        for cell in heap.pointercells(*place) if place else ():
            lost = reach(cell, obj)
            if lost:
                return _path(lost, came, roots, queued(world, words, ms, obj))
    return None


def _path(lost: int, came: dict[int, tuple[int, int]], roots: dict[int, Root], where: Queued | None) -> LostPath:
    cells, objects = [], []
    at = lost
    while at:
        cell, holder = came[at]
        cells.append(cell)
        objects.append(at)
        at = holder
    return LostPath(roots[cells[-1]], tuple(reversed(cells)), tuple(reversed(objects)), where)


def queued(world: World, words: Words, ms: Sequence[int], obj: int) -> Queued | None:
    """The buffer in which an object still is, if it is in one."""
    for b in registered(world, words):
        n = words[b + NOBJ]
        if any(words[b + OBJ + i] == obj for i in range(n)):
            caches = [number for number, m in enumerate(ms) if words[m + MLOCAL.currentwbuf] == b * 8]
            return Queued(b, caches[0] if caches else -1)
    return None


def rooted(heap: Traversal) -> Iterator[tuple[Root, int]]:
    """Every root pointer's cell, and what it is; in the order of the root jobs."""
    words, world = heap.words, heap.world
    for job, (kind, segment) in enumerate((("data", world.data), ("bss", world.bss))):
        for cell in heap.masked(segment.base, segment.n, segment.mask):
            yield Root(kind, job, -1, f"word {cell - segment.base} of {kind}"), cell
    block = words[world.heap.mheap + MHEAP.allfin]
    while block:
        for i in range(words[block + FINBLOCK.cnt]):
            entry = block + FINBLOCK.size + FIN.size * i
            for cell in (entry + FIN.fn, entry + FIN.arg):
                yield Root("finalizer queue", 2, -1, f"entry {i} of the finalizer queue"), cell
        block = words[block + FINBLOCK.alllink]
    for span, special in heap.specials:
        yield Root("finalizer", 3, -1, "a finalizer's closure"), special + SPECIAL.fn
        if span.masks:
            for cell in heap.pointercells(span, words[special + SPECIAL.offset] // span.elemsize):
                yield Root("finalizer", 3, -1, "an object with a finalizer"), cell
    for number in range(words[world.runtime + RUNTIME.allglen]):
        gp = words[world.allgs + number]
        frame = words[gp + G.frame] if words[gp + G.status] & ~GSCAN != GDEAD else 0
        depth = 0
        while frame:
            if words[frame + FRAME.continpc]:
                for cell in heap.frame(frame):
                    word = cell - frame - FRAME.size
                    yield Root("stack", 5 + number, number, f"word {word} of frame {depth} of goroutine {number}"), cell
            frame = words[frame + FRAME.caller]
            depth += 1
