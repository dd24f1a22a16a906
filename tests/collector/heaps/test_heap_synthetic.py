"""Synthetic heaps: shapes, sizes, seeds, and descriptions that are wrong."""

from __future__ import annotations

import itertools

import pytest

from collector.heaps import Graph, HeapError, Kind, Limits, read
from collector.heaps.describe import describe
from collector.heaps.graph import broken
from collector.heaps.synthetic import SHAPES


def columns(graph: Graph) -> tuple[object, ...]:
    """What makes a graph, to be compared."""
    return graph.address, graph.size, graph.first, graph.offset, graph.target, graph.interior, graph.roots


@pytest.mark.parametrize("n", [1, 2, 3, 1000])
@pytest.mark.parametrize("shape", SHAPES)
def test_rules(shape: str, n: int) -> None:
    """Every shape keeps the rules of a graph, also a very small one, and has as many objects as it was asked for."""
    graph = read(f"synthetic:{shape},n={n},threads=2")

    assert broken(graph) is None
    assert graph.objects == n
    assert [group for group, _ in graph.roots.stacks()] == [1, 2]


@pytest.mark.parametrize("shape", SHAPES)
def test_seeds(shape: str) -> None:
    """The same text gives the same heap, another seed another one."""
    one, again, other = (read(f"synthetic:{shape},threads=1,seed={seed}") for seed in (7, 7, 8))

    assert columns(one) == columns(again)
    assert columns(one) != columns(other)


def test_list() -> None:
    """A list is one chain from the root to its last link."""
    figures = describe(read("synthetic:list,n=5000"))

    assert (figures.edges, figures.depth, figures.longest_chain, figures.reachable) == (4999, 4999, 5000, 5000)
    assert figures.roots == 1


def test_tree() -> None:
    """A tree of fan 3 and 40 objects is full: four levels, 27 leaves, every inner object with 3 slots."""
    graph = read("synthetic:tree,fan=3,n=40")

    assert [graph.first[i + 1] - graph.first[i] for i in range(40)] == [3] * 13 + [0] * 27
    assert list(graph.targets(4)) == [13, 14, 15]
    assert (describe(graph).depth, describe(graph).levels_widest) == (3, 27)


def test_wide() -> None:
    """A wide heap has objects with a thousand slots, and little depth."""
    figures = describe(read("synthetic:wide,n=100_000"))

    assert figures.out_degree.most == 1000
    assert figures.depth == 2


def test_random() -> None:
    """A random graph has the slots that it was asked for, and leaves garbage."""
    figures = describe(read("synthetic:random,n=20000,m=40000"))

    assert figures.edges == 40_000
    assert 0.7 < figures.reachable_share < 0.9
    assert figures.in_degree.most < 30


def test_power() -> None:
    """With the power law the first objects are named by very many, the more so the steeper."""
    even, steep = (describe(read(f"synthetic:power,alpha={alpha}")).in_degree.most for alpha in ("1", "4"))

    assert even < 30
    assert steep > 1000


def test_garbage() -> None:
    """The share that is to be garbage is just what nothing reaches, itself a heap of the same shape."""
    for shape in ("list", "tree", "wide"):
        figures = describe(read(f"synthetic:{shape},n=1000,garbage=0.25"))

        assert (figures.reachable, figures.edges) == (750, 998)


def test_sizes() -> None:
    """Sizes are whole words from the range, but never less than the slots take."""
    graph = read("synthetic:random,size=24-48,seed=3")

    slots = [graph.first[i + 1] - graph.first[i] for i in range(graph.objects)]
    assert {24, 32, 40, 48} <= set(graph.size)
    assert all(size in (24, 32, 40, 48) or size == 8 * count for size, count in zip(graph.size, slots, strict=True))
    assert set(read("synthetic:list,size=20").size) == {24}
    assert all(b - a == size for (a, b), size in zip(itertools.pairwise(graph.address), graph.size, strict=False))


def test_interior_pointers() -> None:
    """One slot in sixteen may point at the inside of its object."""
    graph = read("synthetic:random,n=10000")

    inside = sum(1 for at in graph.interior if at)

    assert 0.03 < inside / graph.edges < 1 / 16


def test_stacks() -> None:
    """Parked goroutines have two frames of two slots each."""
    roots = read("synthetic:list,threads=3").roots

    assert list(roots.kind) == [Kind.DATA] + [Kind.STACK] * 6
    assert list(roots.size) == [8] + [16] * 6


WRONG = {
    "": "expected one of list, tree, wide, random, power behind 'synthetic:', found ''",
    "ring": "found 'ring'",
    "list,m=3": "expected n=, seed=, size=, threads=, garbage= at most once each for list, found 'm=3'",
    "list,n": "found 'n'",
    "list,n=1,n=1": "found 'n=1'",
    "list,n=0": "expected n= a whole number from 1 to 16777216, found '0'",
    "list,n=ten": "found 'ten'",
    "list,n=1e3": "found '1e3'",
    "list,n=99999999999": "found '99999999999'",
    "list,seed=-1": "expected seed= a whole number from 0 to",
    "list,size=4": "expected size= a whole number from 8 to 1048576, found '4'",
    "list,size=64-8": "expected size= a whole number from 64 to 1048576, found '8'",
    "list,size=8-": "found ''",
    "list,garbage=1": "expected garbage= a number from 0 to 0.999, found '1'",
    "power,alpha=nan": "expected alpha= a number from 1 to 100, found 'nan'",
    "random,roots=10001": "expected roots= a whole number from 1 to 10000, found '10001'",
    "random,m=999999999": "expected m= a whole number from 0 to 134217728, found '999999999'",
    "tree,fan=0": "expected fan= a whole number from 1 to",
    "list,threads=" + "9" * 5000: "expected threads= a whole number from 0 to 10000",
    "list,\n": "found '\\n'",
}


@pytest.mark.parametrize("spec", WRONG, ids=range(len(WRONG)))
def test_wrong_descriptions(spec: str) -> None:
    """A description that is wrong is refused in one line with what is allowed."""
    with pytest.raises(HeapError) as caught:
        read(f"synthetic:{spec}")

    assert WRONG[spec] in str(caught.value)
    assert str(caught.value).isprintable()


def test_limit() -> None:
    """The limit of objects is the limit of n."""
    with pytest.raises(HeapError, match="from 1 to 50"):
        read("synthetic:list,n=51", limits=Limits(objects=50))


def test_columns() -> None:
    """A heap is columns: 24 bytes an object, 24 a slot, and one entry more in `first`."""
    graph = read("synthetic:random,n=100_000,m=200_000")

    held = (graph.address, graph.size, graph.first, graph.offset, graph.target, graph.interior)
    assert (graph.objects, graph.edges) == (100_000, 200_000)
    assert sum(len(column) * column.itemsize for column in held) == 24 * (graph.objects + graph.edges) + 8
