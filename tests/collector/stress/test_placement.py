"""Loading: a graph's objects, slots, roots and finalizers are in the model what they were in the graph."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from collector import heaps
from collector.audit.traverse import Traversal
from collector.heaps.errors import HeapError
from collector.heaps.graph import NONE, Areas, Finalizers, Graph, Kind, Source
from collector.heaps.oracle import reach
from collector.runtime import Config
from collector.stress.placement import STATIC_CLOSURE, load, sized
from collector.stress.run import Plan
from collector.stress.survivors import Keep
from mutator.heap import FINALIZER, SPAN, SPECIAL
from mutator.world import GWAITING, MRECORD
from scripts.bench.heap import overhead
from tests.mutator.heap.flat import pointermask
from tests.worlds import SMALL, Bench
from workbuf.machine import WORD


HEAPS = Path(__file__).parents[2] / "heaps"


def loaded(graph: Graph, **config: int) -> tuple[Bench, list[int]]:
    """A model with room for the graph, the graph in it, and where its objects are."""
    room = vars(sized(SMALL, graph))
    names = ("data", "goroutines", "stackwords")
    bench = Bench(**{name: room[name] for name in names} | {"arena": 1 << 24, "words": 1 << 23} | config)
    return bench, list(load(bench.model, bench.gcm, graph).address)


def small() -> Graph:
    """Six objects: 0 -> 1 -> 2 (into the middle), 0 -> 3, 4 with a finalizer whose closure is 5; roots of every kind."""
    roots = Areas()
    for kind, name, slots, group in (
        (Kind.DATA, "data", [(0, 0, 0)], NONE),
        (Kind.BSS, "bss", [(8, 2, 8), (24, 3, 0)], NONE),
        (Kind.STACK, "inner", [(16, 1, 0)], 7),
        (Kind.STACK, "outer", [(0, 3, 0), (8, 0, 16)], 7),
        (Kind.STACK, "another", [(0, 5, 0)], 9),
        (Kind.QUEUED, "queue", [(0, 5, 0)], NONE),
    ):
        for slot in slots:
            roots.slot(*slot)
        roots.close(kind, name, 32, group)
    finalizers = Finalizers()
    finalizers.add(4, 0, 5, 0)
    finalizers.add(2, 0, NONE, 0)
    return Graph(
        Source("small", "synthetic", "", declared_bytes=0),
        array("Q", [0xC000000000 + 1024 * i for i in range(6)]),
        array("Q", [24, 16, 48, 8, 800, 8]),
        array("Q", [0, 2, 3, 3, 3, 3, 3]),
        array("Q", [0, 16, 8]),
        array("Q", [1, 3, 2]),
        array("Q", [0, 0, 40]),
        roots,
        finalizers,
    )


def test_objects_keep_their_slots_and_the_offsets_into_their_targets() -> None:
    """They are relocated; an interior pointer stays one; words that are no slots are zero and no pointers."""
    bench, at = loaded(small())

    assert [bench.peek(at[0] // WORD + i) for i in range(3)] == [at[1], 0, at[3]]
    assert [bench.peek(at[1] // WORD + i) for i in range(2)] == [0, at[2] + 40]
    assert [pointermask(bench.gcm, p) for p in at] == [0b101, 0b10, 0, 0, 0, 0]
    assert all(bench.allocated(*at))


def test_global_roots_become_the_data_segment() -> None:
    """Compact, one word a slot, in order, whatever area they came from."""
    bench, at = loaded(small())
    data = bench.world.data

    assert data.n == 4
    assert [bench.peek(data.base + i) for i in range(4)] == [at[0], at[2] + 8, at[3], at[5]]


def test_goroutines_get_their_frames() -> None:
    """Mutators' own first, innermost on top; the rest would be parked."""
    bench, at = loaded(small())
    first, second = (bench.peek(m.record + MRECORD.curg) for m in bench.mutators)
    inner, outer = bench.gcm.frames(first)
    (another,) = bench.gcm.frames(second)

    assert [bench.peek(inner + 6 + i) for i in range(4)] == [0, 0, at[1], 0]
    assert [bench.peek(outer + 6 + i) for i in range(4)] == [at[3], at[0] + 16, 0, 0]
    assert bench.peek(another + 6) == at[5]
    assert bench.runtime("allglen") == 3


def test_goroutines_that_no_mutator_plays_are_parked() -> None:
    """They wait for good and are scanned like others."""
    bench, at = loaded(small(), mutators=1, goroutines=1)
    gp = bench.peek(bench.world.allgs + 2)

    assert bench.gcm.readgstatus(gp) == GWAITING
    (frame,) = bench.gcm.frames(gp)
    assert bench.peek(frame + 6) == at[5]
    assert bench.g(gp, "m") == 0


def test_room_is_made_for_the_graph() -> None:
    """A word of data a global slot, a goroutine for each that no mutator plays, stacks as deep as the deepest."""
    config = sized(SMALL, small())

    assert config.data == 4
    assert config.goroutines == 0
    assert config.stackwords == SMALL.stackwords + 2 * (6 + 4)


@pytest.mark.parametrize(
    ("finalizers", "expected"),
    [
        (
            [(0, 8)],
            "a finalizer at the beginning of its object, or in 16 bytes without pointers, found one at 0xc000000008",
        ),
        ([(1, 8)], "a finalizer at the beginning of its object, or in 16 bytes without pointers"),
        ([(3, 0), (0, 0), (3, 0)], "one finalizer on an object, found another one on 0xc000000c00"),
        ([(5, 4), (5, 0), (5, 4)], "one finalizer on an object"),
        ([(5, 0), (5, 4), (5, 7), (0, 0)], ""),
    ],
)
def test_finalizers_are_as_go_sets_them(finalizers: list[tuple[int, int]], expected: str) -> None:
    """At the beginning of an object, once; inside one only where Go puts several small ones into 16 bytes."""
    graph = small()
    for column in (
        graph.finalizers.object,
        graph.finalizers.offset,
        graph.finalizers.closure,
        graph.finalizers.interior,
    ):
        del column[:]
    for i, offset in finalizers:
        graph.finalizers.add(i, offset, NONE, 0)

    if expected:
        with pytest.raises(HeapError, match=f"^small: expected {expected}"):
            sized(SMALL, graph)
        return
    bench, at = loaded(graph)
    assert [bench.gcm.removespecial(at[i] + offset, FINALIZER) for i, offset in finalizers] == [True] * len(finalizers)


@pytest.mark.parametrize("shape", ["random", "list", "wide", "power"])
def test_a_loaded_heap_is_small(shape: str) -> None:
    """Beyond its own words an object takes less than 64 bytes: size class waste, bits, masks, span, its address."""
    graph = heaps.read(f"synthetic:{shape},n=20000")
    run = Keep(Plan(config=Config(mutators=0, helpers=0), programs=(), cycles=2, concurrent=False), graph)

    words = sum(-(-size // WORD) for size in graph.size)

    assert 8 < overhead(run, words) / graph.objects + WORD < 64


def test_progress_counts_up() -> None:
    """Every object twice: placed, pointers stored."""
    graph = heaps.read("synthetic:random,n=20000")
    seen: list[tuple[int, int]] = []
    room = vars(sized(SMALL, graph))
    bench = Bench(data=room["data"], arena=1 << 24, words=1 << 23)

    load(bench.model, bench.gcm, graph, lambda done, total: seen.append((done, total)))

    assert seen == sorted(seen)
    assert {total for _, total in seen} == {2 * graph.objects}
    assert (graph.objects, 2 * graph.objects) in seen


def test_finalizers_are_set() -> None:
    """With their closure, or with something that is no object where it lay outside the heap."""
    bench, at = loaded(small())
    specials = {}
    for p in (at[4], at[2]):
        span = bench.gcm.spanOf(p)
        (special,) = bench.gcm.specials(span)
        specials[bench.peek(span + SPAN.start) + bench.peek(special + SPECIAL.offset)] = bench.peek(
            special + SPECIAL.fn
        )

    assert specials == {at[4]: at[5], at[2]: STATIC_CLOSURE}


@pytest.mark.parametrize(
    "source",
    [
        "synthetic:random,n=2000,threads=5",
        "synthetic:tree,n=2000,garbage=0.5",
        "synthetic:wide,n=1500,fan=700",
        "synthetic:list,n=500,garbage=0.3",
        str(HEAPS / "go119-pair-small.heapdump.before.gz"),
    ],
    ids=lambda source: source.rpartition("/")[2],
)
def test_the_collector_keeps_what_the_graphs_own_oracle_calls_reachable(source: str) -> None:
    """Two decoders that share nothing: the reader's traversal of its columns, the model's of its memory; and the mark."""
    graph = heaps.read(source)
    bench, at = loaded(graph, arena=1 << 26, words=1 << 25)
    expected = reach(graph)

    gcm = bench.start(bench.gcm)
    gcm.gcwork(1)

    marked = [i for i, mark in enumerate(bench.marked(*at)) if mark]
    assert marked == [i for i in range(graph.objects) if expected[i]]
    assert gcm.reach
    assert gcm.reach.reachable == gcm.reach.marked == len(marked)
    assert Traversal(bench.world, bench.port.words).check() == gcm.reach
