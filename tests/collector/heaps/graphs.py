"""Graphs written down by hand, for the tests of what works on any graph."""

from __future__ import annotations

from array import array

from collector.heaps.graph import NO_GROUP, Areas, Finalizers, Graph, Kind, Source
from collector.heaps.oracle import reach


SIZE = 1 << 10
"""Bytes of every object."""


def graph(
    edges: list[list[int]],
    roots: list[int],
    finalizers: list[tuple[int, int]] | None = None,
    *,
    go: int | None = None,
    address: list[int] | None = None,
) -> Graph:
    """Object i with slots that name edges[i]; one data segment that names `roots`; finalizers as (object, closure).

    `go`: as if it came from a Go dump with so many HeapObjects.
    """
    first, target = array("Q", [0]), array("Q")
    offset = array("Q")
    for named in edges:
        target.extend(named)
        offset.extend(range(0, 8 * len(named), 8))
        first.append(len(target))
    areas = Areas()
    for k, i in enumerate(roots):
        areas.slot(8 * k, i)
    areas.close(Kind.DATA, "data segment", 8 * len(roots), NO_GROUP)
    table = Finalizers()
    for i, closure in finalizers or []:
        table.add(i, 0, closure, 0)
    n = len(edges)
    return Graph(
        Source("hand", "synthetic" if go is None else "go", "1", heap_objects=go),
        array("Q", address or range(0x1000, 0x1000 + SIZE * n, SIZE)),
        array("Q", [SIZE] * n),
        first,
        offset,
        target,
        array("Q", bytes(8 * len(target))),
        areas,
        table,
        array("I", range(n)) if go is not None else array("I"),
    )


def survivors(graph: Graph) -> bytearray:
    """A byte for each object: 1 where it outlives one collection, being reachable or having a finalizer to be queued."""
    marks = reach(graph)
    for i in graph.finalizers.object:
        marks[i] = 1
    return marks
