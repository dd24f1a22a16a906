"""Shortest paths from the roots of a heap graph: the breadth-first tree, and the way to one object (why it is alive)."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from collector.heaps.graph import NONE, Kind


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.heaps.graph import Graph
    from collector.heaps.stream import Progress


@dataclass(frozen=True, slots=True)
class Link:
    """One object of a path, and the slot of the object before it, or of a root, that points at it."""

    object: int
    offset: int
    """Byte of the slot in what holds it."""
    interior: int
    """Byte of the object that the slot points at."""


@dataclass(frozen=True, slots=True)
class Path:
    """A shortest path: `links[0]` hangs from the root, the last one is the object asked for."""

    root: str
    links: tuple[Link, ...]


def tree(graph: Graph, progress: Progress | None = None) -> tuple[list[list[int]], array[int]]:
    """Breadth first from the roots: the objects of each level, and from which object each was first reached (NONE: a root).

    `progress` counts the objects that the search has reached.
    """
    first, target = graph.first, graph.target
    parent = array("Q", [NONE]) * graph.objects
    seen = bytearray(graph.objects)
    level = []
    for i in graph.root_objects():
        if not seen[i]:
            seen[i] = 1
            level.append(i)
    levels = []
    reached = 0
    while level:
        levels.append(level)
        reached += len(level)
        if progress:
            progress(reached, graph.objects)
        below = []
        for i in level:
            for j in target[first[i] : first[i + 1]]:
                if not seen[j]:
                    seen[j] = 1
                    parent[j] = i
                    below.append(j)
        level = below
    return levels, parent


def named(graph: Graph, text: str) -> list[int]:
    """The object at the address `text`, decimal or 0x..., or around it; if it names a type, all objects of that type."""
    try:
        at = int(text, 0)
    except ValueError:
        return [i for i, kind in enumerate(graph.type) if graph.types[kind] == text]
    inside = (i for i, start in enumerate(graph.address) if start <= at < start + graph.size[i])
    # Where a format has numbers for addresses, objects seem to overlap: the one with that very number comes first.
    return sorted(inside, key=lambda i: (graph.address[i] != at, at - graph.address[i]))[:1]


def path(graph: Graph, wanted: Iterable[int], progress: Progress | None = None) -> Path | None:
    """A shortest path to whichever object of `wanted` is nearest to the roots; None if none of them is reachable."""
    levels, parent = tree(graph, progress)
    asked = set(wanted)
    nearest = next((i for level in levels for i in level if i in asked), None)
    if nearest is None:
        return None
    chain = [nearest]
    while parent[chain[-1]] != NONE:
        chain.append(parent[chain[-1]])
    chain.reverse()
    root, link = _root(graph, chain[0])
    links = [link]
    for above, below in pairwise(chain):
        k = graph.target.index(below, graph.first[above], graph.first[above + 1])
        links.append(Link(below, graph.offset[k], graph.interior[k]))
    return Path(root, tuple(links))


def _root(graph: Graph, i: int) -> tuple[str, Link]:
    """What root names object `i`, and by which slot."""
    roots, finalizers = graph.roots, graph.finalizers
    if i in roots.target:
        k = roots.target.index(i)
        area = bisect_right(roots.first, k) - 1
        kind = _KINDS[Kind(roots.kind[area])](roots.group[area])
        return f"{kind}: {roots.name[area]}", Link(i, roots.offset[k], roots.interior[k])
    for at, closure, interior in zip(finalizers.object, finalizers.closure, finalizers.interior, strict=True):
        if closure == i:
            return f"closure of the finalizer of the object at {graph.address[at]:#x}", Link(i, 0, interior)
        for k in range(graph.first[at], graph.first[at + 1]):
            if graph.target[k] == i:
                what = f"object with a finalizer at {graph.address[at]:#x}"
                return what, Link(i, graph.offset[k], graph.interior[k])
    raise ValueError(f"object {i} hangs from no root")


_KINDS: dict[Kind, Callable[[int], str]] = {
    Kind.DATA: lambda _: "data",
    Kind.BSS: lambda _: "bss",
    Kind.STACK: lambda group: f"stack of {group}",
    Kind.QUEUED: lambda _: "queued finalizer",
    Kind.OTHER: lambda _: "other root",
}
