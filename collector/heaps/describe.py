"""Statistics of a heap graph, as the `heap` command prints them: sizes, degrees, depth, chains.

Definitions.

* *reachable*: as in `oracle`.  Everything about depth and chains is said of the reachable part.
* *level* of an object: links on a shortest path to it from an object that a root names, which is itself at level 0.
* *depth*: the largest level, that is the eccentricity of the roots.  A marker with any number of threads needs at least
  depth + 1 steps one after another.
* *longest chain*: in the breadth-first tree (each object hangs from the one that was first to reach it), the most
  objects one below the other of which each but the last has exactly one child.  In a chain there is never anything to
  share: it is what starves parallel markers.
* *degrees*: slots of an object that point into the heap (out), slots of objects that point at it (in; roots do not
  count).  The distribution has a class for 0 and one for each power of two: 1, 2-3, 4-7, ...
"""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from collector.heaps.graph import NONE, Graph, Kind
from collector.heaps.path import tree


if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.heaps.stream import Progress


@dataclass(frozen=True, slots=True)
class Degrees:
    """How many objects have how many slots, or are pointed at by how many."""

    most: int
    mean: float
    classes: dict[str, int]
    """Objects by degree: '0', '1', '2-3', '4-7', ...; the classes up to the largest that is not empty."""


@dataclass(frozen=True, slots=True)
class Description:
    """The figures of one heap; sizes in bytes, all others are counts unless said."""

    source: str
    format: str
    version: str
    objects: int
    bytes: int
    declared_bytes: int
    """As the dump says; `bytes` is larger where a reader made room for slots."""
    edges: int
    interior: int
    """Edges that point at the inside of an object."""
    reachable: int
    reachable_bytes: int
    reachable_share: float
    """Of the objects, from 0 to 1."""
    roots: int
    """Slots of roots, closures of finalizers and referents of their objects, all in all."""
    roots_by_kind: dict[str, int]
    """Slots of data, bss, stack, queued (finalizers) and other; of finalizers closure and referent."""
    goroutines: int
    """Or threads, with a stack."""
    frames: int
    finalizers: int
    depth: int
    longest_chain: int
    levels_widest: int
    """Objects of the fullest level."""
    out_degree: Degrees
    in_degree: Degrees
    dropped: dict[str, int]
    heap_objects: int | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def describe(graph: Graph, progress: Progress | None = None) -> Description:
    """The figures of `graph`; takes about three seconds for a million objects.

    `progress` counts the objects that the search has reached.
    """
    levels, parent = tree(graph, progress)
    order = [i for level in levels for i in level]
    roots = _roots_by_kind(graph)
    incoming = array("Q", bytes(8 * graph.objects))
    for i in graph.target:
        incoming[i] += 1
    first = graph.first
    return Description(
        source=graph.source.name,
        format=graph.source.format,
        version=graph.source.version,
        objects=graph.objects,
        bytes=sum(graph.size),
        declared_bytes=graph.source.declared_bytes,
        edges=graph.edges,
        interior=graph.edges - graph.interior.count(0),
        reachable=len(order),
        reachable_bytes=sum(graph.size[i] for i in order),
        reachable_share=len(order) / graph.objects if graph.objects else 0.0,
        roots=sum(roots.values()),
        roots_by_kind=roots,
        goroutines=sum(1 for _ in graph.roots.stacks()),
        frames=graph.roots.kind.count(Kind.STACK),
        finalizers=len(graph.finalizers),
        depth=max(len(levels) - 1, 0),
        longest_chain=_longest_chain(order, parent),
        levels_widest=max(map(len, levels), default=0),
        out_degree=_degrees(first[i + 1] - first[i] for i in range(graph.objects)),
        in_degree=_degrees(incoming),
        dropped=graph.source.dropped,
        heap_objects=graph.source.heap_objects,
        notes=graph.source.notes,
    )


def _longest_chain(order: list[int], parent: array[int]) -> int:
    """The longest chain of the tree that `parent` describes; `order` has every parent before its children."""
    children = array("Q", bytes(8 * len(parent)))
    chain = array("Q", [1]) * len(parent)
    for i in order:
        if parent[i] != NONE:
            children[parent[i]] += 1
    longest = 0
    for i in reversed(order):  # children first: chain[i] is final when i is met
        above = parent[i]
        longest = max(longest, chain[i])
        if above != NONE and children[above] == 1:
            chain[above] = chain[i] + 1
    return longest


def _roots_by_kind(graph: Graph) -> dict[str, int]:
    areas, finalizers = graph.roots, graph.finalizers
    count = {kind.name.lower(): 0 for kind in Kind}
    for i, kind in enumerate(areas.kind):
        count[Kind(kind).name.lower()] += areas.first[i + 1] - areas.first[i]
    count["closure"] = len(finalizers) - finalizers.closure.count(NONE)
    count["referent"] = sum(len(graph.targets(i)) for i in finalizers.object)
    return count


def _degrees(degrees: Iterable[int]) -> Degrees:
    by_bits: dict[int, int] = {}
    total = count = most = 0
    for degree in degrees:
        bits = degree.bit_length()
        by_bits[bits] = by_bits.get(bits, 0) + 1
        total += degree
        count += 1
        most = max(most, degree)
    classes = {_class_name(bits): by_bits.get(bits, 0) for bits in range(max(by_bits, default=-1) + 1)}
    return Degrees(most, total / count if count else 0.0, classes)


def _class_name(bits: int) -> str:
    low, high = (1 << bits) >> 1, (1 << bits) - 1
    return str(high) if low >= high else f"{low}-{high}"
