"""The independent oracle: what is reachable, by a plain sequential traversal of the stopped world's memory.

Theory of operation.  Reads records and masks with a decoder of its own, shares no code with the marker, and keeps its own
set of what it has visited.  Roots are those of I14: data, bss, every frame of every live goroutine, the
finalizer queue, the closures of specials and the referents (not the objects) that have one.  Then it compares with the
mark bits: reachable and not marked is LOST, a violation; marked and not reachable is floating garbage, counted.

Relied on.  The world is stopped, the mark is complete, nothing has been swept yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from mutator.heap import ALLOCATED, FIN, FINALIZER, FINBLOCK, MARKED, MHEAP, SPAN, SPAN_IN_USE, SPECIAL
from mutator.stack import FRAME
from mutator.world import GDEAD, GSCAN, RUNTIME, G


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mutator.world import World
    from workbuf.machine import Words

LOST_SHOWN = 10
"""Lost objects that a violation's text names."""


@dataclass(frozen=True)
class Reach:
    """Objects by count: allocated, reachable by this traversal, marked by the protocol, floating; `live` is in bytes."""

    objects: int
    reachable: int
    marked: int
    floating: int
    live: int = field(default=0, compare=False)
    """Bytes of the marked objects, with what their size classes waste."""


@dataclass(frozen=True)
class _Span:
    start: int
    limit: int
    elemsize: int
    objs: int
    masks: int
    maskwords: int
    seen: bytearray


class Traversal:
    """One traversal of `world` through `words`.  `lost` lists (object, where the pointer to it was found)."""

    def __init__(self, world: World, words: Words) -> None:
        self.world = world
        self.words = words
        heap = world.heap
        self.shift = heap.page_shift
        self.low, self.high = heap.arena_start, heap.arena_end
        self.spans: dict[int, _Span] = {}
        self.indices: dict[int, tuple[int, ...]] = {}
        self.lost: list[tuple[int, int]] = []
        self.specials: list[tuple[_Span, int]] = []
        for span in self._inuse():
            self._enter(span)

    def run(self) -> Reach:
        """Traverse, compare, count."""
        stack: list[int] = []
        for address in self._rootwords():
            self._visit(self.words[address], address * 8, stack)
        while stack:
            obj = stack.pop()
            for cell in self._pointercells(obj):
                self._visit(self.words[cell], cell * 8, stack)
        objects = reachable = marked = floating = live = 0
        for span in {id(span): span for span in self.spans.values()}.values():
            for index, seen in enumerate(span.seen):
                bits = self._byte(span.objs + index)
                if not bits & ALLOCATED:
                    continue
                objects += 1
                reachable += seen
                if bits & MARKED:
                    marked += 1
                    live += span.elemsize
                    floating += not seen
        return Reach(objects, reachable, marked, floating, live)

    def check(self) -> Reach:
        """The same, and a Violation if anything is lost."""
        reach = self.run()
        if self.lost:
            lines = [
                f"runtime: lost object {obj:#x}: reachable from *{found:#x} and not marked"
                for obj, found in self.lost[:LOST_SHOWN]
            ]
            raise Violation("lost", f"{len(self.lost)} reachable objects are not marked", *lines, count=len(self.lost))
        return reach

    def _visit(self, p: int, found: int, stack: list[int]) -> None:
        if not self.low <= p < self.high:
            return
        span = self.spans.get(p - self.low >> self.shift)
        if span is None or p >= span.limit:
            return
        index = (p - span.start) // span.elemsize
        if span.seen[index]:
            return
        obj = span.start + index * span.elemsize
        bits = self._byte(span.objs + index)
        if not bits & ALLOCATED:
            text = f"*{found:#x} holds {p:#x}, which lies in the free object {obj:#x}"
            raise Violation("lost", "a reachable pointer leads to a freed object", text)
        span.seen[index] = 1
        if not bits & MARKED:
            self.lost.append((obj, found))
        if span.masks:
            stack.append(obj)

    def _pointercells(self, obj: int) -> Iterator[int]:
        span = self.spans[obj - self.low >> self.shift]
        mask = span.masks + (obj - span.start) // span.elemsize * span.maskwords
        cell = obj // 8
        for at in range(span.maskwords):
            for i in self._bits(self.words[mask + at]):
                yield cell + 64 * at + i

    def _bits(self, mask: int) -> Sequence[int]:
        found = self.indices.get(mask)
        if found is None:
            found = self.indices[mask] = tuple(i for i in range(64) if mask >> i & 1)
        return found

    def _byte(self, address: int) -> int:
        return self.words[address // 8] >> address % 8 * 8 & 0xFF

    def _inuse(self) -> Iterator[int]:
        words, heap = self.words, self.world.heap
        for i in range(words[heap.mheap + MHEAP.nspan]):
            span = words[heap.allspans + i]
            if words[span + SPAN.state] == SPAN_IN_USE:
                yield span

    def _enter(self, span: int) -> None:
        words = self.words
        start, npages, nelems = words[span + SPAN.start], words[span + SPAN.npages], words[span + SPAN.nelems]
        elemsize = words[span + SPAN.elemsize]
        facts = _Span(
            start,
            words[span + SPAN.limit],
            elemsize,
            words[span + SPAN.objs],
            words[span + SPAN.masks],
            words[span + SPAN.maskwords],
            bytearray(nelems),
        )
        for page in range(npages):
            self.spans[(start - self.low >> self.shift) + page] = facts
        special = words[span + SPAN.specials]
        while special:
            if words[special + SPECIAL.kind] == FINALIZER:
                self.specials.append((facts, special))
            special = words[special + SPECIAL.next]

    def _rootwords(self) -> Iterator[int]:
        words, world = self.words, self.world
        for segment in (world.data, world.bss):
            yield from self._masked(segment.base, segment.n, segment.mask)
        for i in range(words[world.runtime + RUNTIME.allglen]):
            gp = words[world.allgs + i]
            if words[gp + G.status] & ~GSCAN != GDEAD:
                yield from self._frames(gp)
        block = words[world.heap.mheap + MHEAP.allfin]
        while block:
            entries = range(
                block + FINBLOCK.size, block + FINBLOCK.size + FIN.size * words[block + FINBLOCK.cnt], FIN.size
            )
            for entry in entries:
                yield from (entry + FIN.fn, entry + FIN.arg)
            block = words[block + FINBLOCK.alllink]
        for span, special in self.specials:
            yield special + SPECIAL.fn
            obj = span.start + words[special + SPECIAL.offset] // span.elemsize * span.elemsize
            if span.masks:
                yield from self._pointercells(obj)

    def _frames(self, gp: int) -> Iterator[int]:
        words = self.words
        frame = words[gp + G.frame]
        while frame:
            if words[frame + FRAME.continpc]:
                first = frame + FRAME.size
                nlocals = words[frame + FRAME.nlocals]
                yield from self._masked(first, nlocals, words[frame + FRAME.localsmask])
                yield from self._masked(first + nlocals, words[frame + FRAME.nargs], words[frame + FRAME.argsmask])
            frame = words[frame + FRAME.caller]

    def _masked(self, base: int, n: int, mask: int) -> Iterator[int]:
        for at in range(-(-n // 64)):
            for i in self._bits(self.words[mask + at]):
                yield base + 64 * at + i
