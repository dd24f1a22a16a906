"""The reachability oracle: a sequential traversal of the stopped world's memory, compared with the mark bits.

It reads records and masks with a decoder of its own, shares no code with the marker, and keeps its own set of visited
objects.  Roots are those of I14: data, bss, every frame of every live goroutine, the finalizer queue, the closures of
specials, and what an object with a special refers to (not the object itself).  Reachable and not marked is LOST, a
violation; marked and not reachable is floating garbage, which is counted.

The world must be stopped, the mark complete, and nothing swept yet.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from collector.audit.violation import Violation
from mutator.heap import ALLOCATED, FIN, FINALIZER, FINBLOCK, MARKED, MHEAP, SPAN, SPAN_IN_USE, SPECIAL
from mutator.stack import FRAME
from mutator.world import GDEAD, GSCAN, RUNTIME, G


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


class _Span(NamedTuple):
    start: int
    limit: int
    elemsize: int
    masks: int
    maskwords: int
    bits: bytes
    """The objects' bytes."""
    seen: bytearray


class _Indices(dict[int, tuple[int, ...]]):
    """From a mask word to the numbers of its set bits, decoded when it is first asked for."""

    def __missing__(self, mask: int) -> tuple[int, ...]:
        self[mask] = found = tuple(i for i in range(64) if mask >> i & 1)
        return found


class Traversal:
    """One traversal of `world` through `words`.  `lost` lists (object, where the pointer to it was found)."""

    def __init__(self, world: World, words: Words) -> None:
        self.world = world
        self.words = words
        heap = world.heap
        self.shift = heap.page_shift
        self.low, self.high = heap.arena_start, heap.arena_end
        self.spans: dict[int, _Span] = {}
        self.indices = _Indices()
        self.lost: list[tuple[int, int]] = []
        self.specials: list[tuple[_Span, int]] = []
        for span in self._inuse():
            self._enter(span)

    def run(self) -> Reach:
        """Traverse, compare, count."""
        words, spans, low, high, shift = self.words, self.spans, self.low, self.high, self.shift
        stack: list[tuple[_Span, int]] = []
        cells: Iterable[int] = self.rootcells()
        while True:
            for cell in cells:
                p = words[cell]
                if not low <= p < high:
                    continue
                span = spans.get(p - low >> shift)
                if span is None:
                    continue
                start, limit, elemsize, masks, _, octets, seen = span
                if p >= limit:
                    continue
                index = (p - start) // elemsize
                if seen[index]:
                    continue
                bits = octets[index]
                if not bits & ALLOCATED:
                    obj = start + index * elemsize
                    text = f"*{cell * 8:#x} holds {p:#x}, which lies in the free object {obj:#x}"
                    raise Violation("lost", "a reachable pointer leads to a freed object", text)
                seen[index] = 1
                if not bits & MARKED:
                    self.lost.append((start + index * elemsize, cell * 8))
                if masks:
                    stack.append((span, index))
            if not stack:
                return self._counted()
            cells = self.pointercells(*stack.pop())

    def _counted(self) -> Reach:
        """Every slot of every span by its byte and by whether it was reached."""
        objects = reachable = marked = floating = live = 0
        for span in {id(span): span for span in self.spans.values()}.values():
            for (bits, seen), n in Counter(zip(span.bits, span.seen, strict=True)).items():
                if not bits & ALLOCATED:
                    continue
                objects += n
                reachable += n * seen
                if bits & MARKED:
                    marked += n
                    live += n * span.elemsize
                    floating += n * (not seen)
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

    def pointercells(self, span: _Span, index: int) -> list[int]:
        """The cells of an object that hold pointers."""
        start, _, elemsize, masks, n, _, _ = span
        words, indices = self.words, self.indices
        mask, cell = masks + index * n, (start + index * elemsize) // 8
        if n == 1:
            return [cell + i for i in indices[words[mask]]]
        return [cell + 64 * at + i for at in range(n) for i in indices[words[mask + at]]]

    def _octets(self, address: int, n: int) -> bytes:
        """`n` bytes of memory; the world is stopped, so they stay what they are."""
        first = address // 8
        octets = b"".join(self.words[at].to_bytes(8, "little") for at in range(first, (address + n + 7) // 8))
        return octets[address % 8 : address % 8 + n]

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
            words[span + SPAN.masks],
            words[span + SPAN.maskwords],
            self._octets(words[span + SPAN.objs], nelems),
            bytearray(nelems),
        )
        for page in range(npages):
            self.spans[(start - self.low >> self.shift) + page] = facts
        special = words[span + SPAN.specials]
        while special:
            if words[special + SPECIAL.kind] == FINALIZER:
                self.specials.append((facts, special))
            special = words[special + SPECIAL.next]

    def rootcells(self) -> Iterator[int]:
        """The cells of all root pointers."""
        words, world = self.words, self.world
        for segment in (world.data, world.bss):
            yield from self.masked(segment.base, segment.n, segment.mask)
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
            if span.masks:
                yield from self.pointercells(span, words[special + SPECIAL.offset] // span.elemsize)

    def _frames(self, gp: int) -> Iterator[int]:
        words = self.words
        frame = words[gp + G.frame]
        while frame:
            if words[frame + FRAME.continpc]:
                yield from self.frame(frame)
            frame = words[frame + FRAME.caller]

    def frame(self, frame: int) -> Iterator[int]:
        """The cells of one frame's pointers."""
        words = self.words
        first = frame + FRAME.size
        nlocals = words[frame + FRAME.nlocals]
        yield from self.masked(first, nlocals, words[frame + FRAME.localsmask])
        yield from self.masked(first + nlocals, words[frame + FRAME.nargs], words[frame + FRAME.argsmask])

    def locate(self, p: int) -> tuple[_Span, int] | None:
        """The span and the index of the object in which the address `p` lies, if it lies in one."""
        span = self.spans.get(p - self.low >> self.shift) if self.low <= p < self.high else None
        return None if span is None or p >= span.limit else (span, (p - span.start) // span.elemsize)

    def masked(self, base: int, n: int, mask: int) -> Iterator[int]:
        """The cells of a block of `n` words that its bitmap says hold pointers."""
        for at in range(-(-n // 64)):
            for i in self.indices[self.words[mask + at]]:
                yield base + 64 * at + i
