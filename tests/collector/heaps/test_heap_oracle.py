"""The oracles: on graphs small enough to see the answer, against each other, and against planted faults."""

from __future__ import annotations

import random

import pytest

from collector.heaps import Graph, read
from collector.heaps.graph import NONE
from collector.heaps.oracle import differences, oracles, reach, reach_scipy, scipy_missing
from tests.collector.heaps.graphs import graph, survivors


HEAPS = [
    ("empty", graph([], []), []),
    ("one unreachable", graph([[]], []), [0]),
    ("itself", graph([[0], [1]], [0]), [1, 0]),
    ("cycle", graph([[1], [2], [0], [0]], [1]), [1, 1, 1, 0]),
    ("repeated slots and roots", graph([[1, 1, 1], [0, 0], []], [0, 0]), [1, 1, 0]),
    ("finalizer keeps referents and closure", graph([[1], [], [], [0]], [], [(0, 2)]), [0, 1, 1, 0]),
    ("finalizer on what refers to itself", graph([[0], []], [], [(0, NONE)]), [1, 0]),
    ("finalizer keeps what its referents name", graph([[1], [2], [0]], [], [(0, NONE)]), [1, 1, 1]),
]
every_heap = pytest.mark.parametrize(
    ("heap", "expected"), [case[1:] for case in HEAPS], ids=[case[0] for case in HEAPS]
)
every_oracle = pytest.mark.parametrize("name", ["search", "scipy"])


def answer(name: str, heap: Graph) -> bytearray:
    """What an oracle says, by name."""
    if name not in oracles():
        pytest.skip(str(scipy_missing()))
    return oracles()[name](heap)


@every_oracle
@every_heap
def test_small_heaps(name: str, heap: Graph, expected: list[int]) -> None:
    """Each oracle finds what a reader of the graph can see."""
    assert list(answer(name, heap)) == expected


def drawn(seed: int) -> Graph:
    """A graph drawn from `seed`: loops, repeated slots, finalizers and garbage are all likely."""
    rng = random.Random(seed)
    n = rng.randrange(1, 60)
    edges = [[rng.randrange(n) for _ in range(rng.randrange(4))] for _ in range(n)]
    finalizers = [(rng.randrange(n), rng.choice((NONE, rng.randrange(n)))) for _ in range(rng.randrange(4))]
    return graph(edges, [rng.randrange(n) for _ in range(rng.randrange(3))], finalizers)


def closed(heap: Graph) -> set[int]:
    """The reachable objects by the definition: the smallest set that holds the roots' and its own members' targets."""
    found: set[int] = set(heap.root_objects())
    while more := {j for i in found for j in heap.targets(i)} - found:
        found |= more
    return found


@every_oracle
def test_drawn_heaps(name: str, seed: int) -> None:
    """On drawn graphs each oracle finds the smallest closed set."""
    for k in range(200):
        heap = drawn(seed + k)

        assert {i for i, mark in enumerate(answer(name, heap)) if mark} == closed(heap), seed + k


@pytest.mark.skipif(scipy_missing() is not None, reason=str(scipy_missing()))
@pytest.mark.parametrize("shape", ["list,n=20000", "tree,garbage=0.3", "wide", "random,threads=3", "power,threads=3"])
def test_agreement_on_synthetic_heaps(shape: str) -> None:
    """The two oracles agree on every synthetic shape, a list of 20,000 levels among them."""
    heap = read(f"synthetic:{shape}")

    assert differences(reach(heap), reach_scipy(heap)) == []


@every_oracle
@pytest.mark.parametrize("fault", ["a slot", "a root", "a finalizer"])
def test_planted_faults_show(name: str, fault: str) -> None:
    """An answer that overlooks a slot, a root or a finalizer differs from the right one."""
    heap = graph([[1], [], [3], [], [5], []], [0, 2], [(4, NONE)])
    expected = answer(name, heap)
    if fault == "a slot":
        heap.target[0] = 0
    elif fault == "a root":
        heap.roots.target.pop()
    else:
        heap.finalizers.object.pop()
        heap.finalizers.closure.pop()

    assert differences(expected, answer(name, heap)) != []


def test_a_mark_too_few_and_one_too_many_show() -> None:
    """Marks that lack an object, or have one more, differ by just that object; the value of a mark does not matter."""
    marks = reach(read("synthetic:random,n=1000,seed=5"))
    lacking, more = bytearray(marks), bytearray(marks)
    lacking[marks.index(1)] = 0
    more[marks.index(0)] = 7

    assert differences(marks, marks) == []
    assert differences(marks, lacking) == [marks.index(1)]
    assert differences(marks, more) == [marks.index(0)]
    assert differences(b"\0\1", b"\0\xff") == []


def test_marks_of_another_length() -> None:
    """Marks for another number of objects are no answer."""
    with pytest.raises(ValueError, match="marks for 1 and for 2 objects"):
        differences(b"\0", b"\0\0")


def test_survivors() -> None:
    """What outlives a collection is what is reachable and what is queued for its finalizer."""
    heap = graph([[1], [], []], [], [(0, NONE)])

    assert list(survivors(heap)) == [1, 1, 0]
