"""The figures of a heap, on graphs where they can be counted by hand."""

from __future__ import annotations

import json

from collector.heaps import Kind, read
from collector.heaps.describe import describe
from collector.heaps.graph import NONE
from tests.collector.heaps.graphs import SIZE, graph


def test_counts() -> None:
    """Objects, bytes, edges, what is reachable, and the roots by kind."""
    heap = graph([[1, 2], [2], [], [0]], [0, 0], [(3, 2), (1, NONE)])
    heap.roots.slot(8, 2, 16)
    heap.roots.close(Kind.STACK, "f", 16, 3)
    heap.interior[0] = 8

    figures = describe(heap)

    assert (figures.objects, figures.bytes, figures.edges, figures.interior) == (4, 4 * SIZE, 4, 1)
    assert (figures.reachable, figures.reachable_bytes, figures.reachable_share) == (3, 3 * SIZE, 0.75)
    assert {kind: n for kind, n in figures.roots_by_kind.items() if n} == {
        "data": 2,
        "stack": 1,
        "closure": 1,
        "referent": 2,
    }
    assert figures.roots == 6
    assert (figures.goroutines, figures.frames, figures.finalizers) == (1, 1, 2)


def test_depth_is_of_shortest_paths() -> None:
    """Depth is the longest of the shortest paths: the way round by 1, 2, 3 does not count, and garbage does not."""
    heap = graph([[1, 3], [2], [3], [4], [], [6], [7], [8], [9], []], [0])

    assert (describe(heap).depth, describe(heap).levels_widest) == (2, 2)


def test_longest_chain() -> None:
    """A chain goes on while an object has one child of its own in the breadth-first tree."""
    chain = graph([[1], [2], [3], [4, 5], [], []], [0])
    fork_first = graph([[1, 2], [3], [], [4], []], [0])
    shared = graph([[1, 2], [3], [3], [4], []], [0])  # 3 hangs from 1, the first to reach it

    assert describe(chain).longest_chain == 4
    assert describe(fork_first).longest_chain == 3
    assert describe(shared).longest_chain == 3


def test_degrees() -> None:
    """Degrees come in classes that double, up to the largest that is not empty."""
    heap = graph([[1] * 5, [0], [0, 1], [], []], [])

    figures = describe(heap)

    assert figures.out_degree.classes == {"0": 2, "1": 1, "2-3": 1, "4-7": 1}
    assert figures.in_degree.classes == {"0": 3, "1": 0, "2-3": 1, "4-7": 1}
    assert (figures.out_degree.most, figures.in_degree.most) == (5, 6)
    assert figures.out_degree.mean == figures.in_degree.mean == 8 / 5


def test_empty_heap() -> None:
    """A heap without an object has figures too."""
    figures = describe(graph([], []))

    assert (figures.objects, figures.depth, figures.longest_chain, figures.reachable_share) == (0, 0, 0, 0.0)
    assert figures.out_degree.classes == {}


def test_for_json() -> None:
    """The figures can be written as JSON, with the names that a summary must have."""
    figures = json.loads(json.dumps(describe(read("synthetic:list,n=100")).as_dict()))

    assert {"objects", "edges", "bytes", "reachable", "roots"} <= figures.keys()
    assert figures["longest_chain"] == 100
