"""Loads a heap graph into the model's heap: objects, specials, roots and stacks, placed by Go's rules.

Objects go into spans by size class, with their own pointer masks; loading relocates them and keeps the offsets inside
them, so an interior pointer stays one.  `Placed.address[i]` is where object i of the graph is now, the column that maps
back.  Global areas become the data segment, compact: one word a kept slot, in order.  Each goroutine of the graph
becomes a goroutine with its frames as they were; the first ones are the mutators' own, the rest parked.

No thread may run yet, and the graph must keep the rules of `collector.heaps.graph`.

Queued finalizers become global roots and not entries of the finalizer queue, because their closures cannot be run here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collector.heaps.errors import HeapError
from collector.heaps.graph import NONE, Kind
from mutator.heap.load import place
from mutator.heap.specials import TINY_SIZE
from mutator.stack import FRAME
from mutator.world import GWAITING, MRECORD
from workbuf.machine import WORD


if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable

    from collector.heaps.graph import Graph
    from collector.heaps.stream import Progress
    from collector.runtime import CollectorM, Config, Model

LARGEST = 4 << 30
"""Bytes of objects that are loaded at most."""
STEP = 1 << 13
"""Objects between two reports of progress."""
STATIC_CLOSURE = WORD
"""A closure outside the heap: any address that is neither nil nor in the arena."""


@dataclass(frozen=True)
class Placed:
    """Where a graph's objects are in a model: `address[i]` is the byte address of object i."""

    graph: Graph
    address: array[int]


def sized(config: Config, graph: Graph) -> Config:
    """`config` with the roots and stacks of `graph`; HeapError if it cannot be loaded."""
    checkfinalizers(graph)
    need = sum(graph.size)
    if need > LARGEST:
        raise HeapError(graph.source.name, None, f"objects of at most {LARGEST} bytes in all", f"{need} bytes")
    roots = graph.roots
    stacks = list(roots.stacks())
    owned = [stackwords(graph, frames) for _, frames in stacks[: config.mutators]]
    slots = sum(roots.first[i + 1] - roots.first[i] for i in range(len(roots)) if roots.kind[i] != Kind.STACK)
    return replace(
        config,
        data=slots,
        goroutines=max(len(stacks) - config.mutators, 0),
        stackwords=config.stackwords + max(owned, default=0),
    )


def checkfinalizers(graph: Graph) -> None:
    """Raise HeapError where a finalizer is set as Go's SetFinalizer would not have let it be set."""
    seen: set[tuple[int, int]] = set()
    for i, offset in zip(graph.finalizers.object, graph.finalizers.offset, strict=True):
        size, at = graph.size[i], hex(graph.address[i] + offset)
        if offset and (size > TINY_SIZE or graph.first[i] < graph.first[i + 1]):
            expected = f"a finalizer at the beginning of its object, or in {TINY_SIZE} bytes without pointers"
            raise HeapError(graph.source.name, None, expected, f"one at {at}, {offset} bytes into {size}")
        if (i, offset) in seen:
            raise HeapError(graph.source.name, None, "one finalizer on an object", f"another one on {at}")
        seen.add((i, offset))


def stackwords(graph: Graph, frames: Iterable[int]) -> int:
    """Cells that these frames take on a stack."""
    return sum(framewords(graph, i) for i in frames)


def framewords(graph: Graph, area: int) -> int:
    """Cells that a frame of the graph takes on a stack."""
    return FRAME.size + -(-graph.roots.size[area] // WORD)


def load(model: Model, m: CollectorM, graph: Graph, progress: Progress | None = None) -> Placed:
    """Fill the model's heap, data segment and stacks from `graph`, through `m`, an M of the machine's boot port.

    `progress` counts every object twice: when it has been placed, and when its pointers have been stored.
    """
    n = graph.objects
    report = progress or (lambda *_: None)
    address = place(m, graph.size, graph.first, graph.offset, lambda done: report(done, 2 * n))
    for start in range(0, n, STEP):
        report(n + start, 2 * n)
        storepointers(m, graph, address, range(start, min(start + STEP, n)))
    finalizers = graph.finalizers
    for obj, at, closure, inside in zip(
        finalizers.object, finalizers.offset, finalizers.closure, finalizers.interior, strict=True
    ):
        m.setfinalizer(address[obj] + at, STATIC_CLOSURE if closure == NONE else address[closure] + inside)
    placed = Placed(graph, address)
    loadglobals(model, placed)
    loadstacks(model, m, placed)
    return placed


def storepointers(m: CollectorM, graph: Graph, address: array[int], objects: range) -> None:
    """Every slot of `objects`."""
    words = m.port.words
    first, offset, target, interior = graph.first, graph.offset, graph.target, graph.interior
    for i in objects:
        base = address[i]
        for k in range(first[i], first[i + 1]):
            words[(base + offset[k]) >> 3] = address[target[k]] + interior[k]


def loadglobals(model: Model, placed: Placed) -> None:
    """Every root that is not on a stack, into the data segment."""
    roots, poke = placed.graph.roots, model.machine.poke
    at = model.world.data.base
    for i in range(len(roots)):
        if roots.kind[i] != Kind.STACK:
            for k in range(roots.first[i], roots.first[i + 1]):
                poke(at, placed.address[roots.target[k]] + roots.interior[k])
                at += 1


def loadstacks(model: Model, m: CollectorM, placed: Placed) -> None:
    """The goroutines' frames, outermost first; mutators get the first goroutines' as the bottom of their own."""
    roots, words = placed.graph.roots, m.port.words
    owners = [words[mutator + MRECORD.curg] for mutator in model.mutators]
    for group, frames in roots.stacks():
        words_needed = stackwords(placed.graph, frames)
        gp = owners.pop(0) if owners else model.world.newg(f"parked{group}", GWAITING, max(words_needed, 1))
        for i in reversed(frames):
            n = framewords(placed.graph, i) - FRAME.size
            slots = range(roots.first[i], roots.first[i + 1])
            mask = m.stackmap(n, (roots.offset[k] // WORD for k in slots))
            cell = m.pushframe(gp, n, mask)
            for k in slots:
                words[cell + roots.offset[k] // WORD] = placed.address[roots.target[k]] + roots.interior[k]
