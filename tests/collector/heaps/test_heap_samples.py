"""The sample heaps in tests/heaps: every figure that was measured when they were made, and both oracles on each."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from collector.heaps import Graph, Limits, read
from collector.heaps.describe import describe
from collector.heaps.graph import broken
from collector.heaps.oracle import differences, reach, reach_scipy, scipy_missing


HEAPS = Path(__file__).parents[2] / "heaps"
SAMPLES = {
    # objects, edges, reachable, weak references dropped
    "go119-pair-small.heapdump.before.gz": (12_335, 20_413, 8_238, 0),
    "go119-pair-small.heapdump.after.gz": (8_242, 15_046, 8_242, 0),
    "go119-small-nogc.heapdump.gz": (12_341, 20_410, 8_234, 0),
    "go127-small-gc.heapdump.gz": (8_394 + 425, 15_227, 8_394, 0),
    "node20-small.heapsnapshot.gz": (42_135, 184_994, 42_135, 4_531),
    # four edges to protection domains more than the 70 777 of a reader that leaves these out
    "java17-small-all.hprof.gz": (31_304, 70_777 + 4, 28_420, 0),
}
every_sample = pytest.mark.parametrize("name", SAMPLES)


@cache
def sample(name: str) -> Graph:
    """A sample, read once."""
    return read(str(HEAPS / name))


def test_every_sample_is_there() -> None:
    """tests/heaps holds the samples of the table and nothing else."""
    assert sorted(SAMPLES) == sorted(path.name for path in HEAPS.iterdir())


@every_sample
def test_counts(name: str) -> None:
    """A sample has the objects, edges, reachable objects and weak references that it is known to have."""
    graph = sample(name)

    found = (graph.objects, graph.edges, sum(reach(graph)), graph.source.dropped.get("weak references", 0))

    assert SAMPLES[name] == found


@every_sample
def test_rules(name: str) -> None:
    """The graph of a sample keeps every rule of a graph."""
    assert broken(sample(name)) is None


@every_sample
@pytest.mark.skipif(scipy_missing() is not None, reason=str(scipy_missing()))
def test_oracles_agree(name: str) -> None:
    """Both traversals find the same objects reachable."""
    graph = sample(name)

    assert differences(reach(graph), reach_scipy(graph)) == []


@every_sample
def test_figures_agree_with_the_oracle(name: str) -> None:
    """The description, which searches breadth first, counts what the oracle finds depth first."""
    graph = sample(name)

    figures = describe(graph)

    assert sum(reach(graph)) == figures.reachable
    assert (
        graph.edges == round(figures.out_degree.mean * graph.objects) == round(figures.in_degree.mean * graph.objects)
    )


@pytest.mark.parametrize("window", [1 << 10, 1 << 16])
@every_sample
def test_windows_change_nothing(name: str, window: int) -> None:
    """A heap read through a short window, which cuts records in two, is the heap read in one piece."""
    whole = sample(name)

    pieces = read(str(HEAPS / name), limits=Limits(window=window))

    for column in fields(Graph):
        assert getattr(whole, column.name) == getattr(pieces, column.name), column.name


@pytest.mark.parametrize("name", ["go119-pair-small.heapdump.before.gz", "java17-small-all.hprof.gz"])
def test_progress(name: str) -> None:
    """Progress counts up to the bytes of the file, and never down."""
    seen: list[tuple[int, int]] = []

    read(str(HEAPS / name), progress=lambda done, total: seen.append((done, total)))

    size = (HEAPS / name).stat().st_size
    assert (size, size) == seen[-1]
    assert seen == sorted(seen)
    assert {size} == {total for _, total in seen}


def test_phantoms_are_noted() -> None:
    """A dump of Go 1.27 says how many of its objects are phantoms, one of Go 1.19 has none."""
    new, old = sample("go127-small-gc.heapdump.gz"), sample("go119-small-nogc.heapdump.gz")

    assert new.source.notes == ("425 objects more than MemStats.HeapObjects: phantoms",)
    assert old.source.notes == ()


def test_figures_of_a_pair() -> None:
    """The figures of a Go heap: the list of 2000 links shows as the longest chain and as the depth."""
    figures = describe(sample("go119-pair-small.heapdump.before.gz"))

    assert (figures.longest_chain, figures.depth) == (2000, 1999)
    assert (figures.goroutines, figures.frames, figures.finalizers) == (6, 26, 6)
    # 11 words of stacks that a map names, and two of a frame that is pointed at
    assert {k: n for k, n in figures.roots_by_kind.items() if n} == {"data": 1, "bss": 79, "stack": 13, "referent": 2}
    assert figures.interior == 715
