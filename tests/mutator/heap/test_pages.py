"""The page heap: runs cut and joined, metadata used again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mutator.heap import SPAN, SPAN_FREE, HeapLocal
from mutator.heap.record import metaclass
from tests.mutator.heap.flat import Made, pointermask


def large(m: HeapLocal, npages: int) -> int:
    """An object of that many pages."""
    return m.mallocgc(npages * 8192, 0)


def runs(made: Made) -> list[tuple[int, int]]:
    """First page and length of every free run."""
    made.m.snapshotspans()
    peek = made.machine.peek
    return sorted(
        ((peek(span + SPAN.start) - made.heap.arena_start) // 8192, peek(span + SPAN.npages))
        for span in made.m.allspans()
        if peek(span + SPAN.state) == SPAN_FREE
    )


def test_the_shortest_run_that_is_long_enough_is_used() -> None:
    """Holes of 7 and 5 pages: 5 pages go into the second."""
    made = Made(arena=40 * 8192, max_small=8192)
    objects = [large(made.m, n) for n in (7, 1, 5, 1, 6)]
    made.collect([objects[1], objects[3], objects[4]])
    assert runs(made) == [(0, 7), (8, 5), (20, 20)]

    assert large(made.m, 5) == objects[2]
    assert large(made.m, 4) == objects[0]
    assert runs(made) == [(4, 3), (20, 20)]


def test_a_run_given_back_joins_both_neighbours() -> None:
    """Three spans freed in any order leave one run."""
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]):
        made = Made(arena=16 * 8192, max_small=8192)
        objects = [large(made.m, n) for n in (3, 4, 5, 4)]
        live = set(objects)
        for at in order:
            live.discard(objects[at])
            made.collect(sorted(live))
            assert made.problems() == []

        assert runs(made) == [(0, 12)]


def test_of_long_runs_the_shortest_and_lowest_is_used() -> None:
    """Runs of 128 pages and more share one list."""
    made = Made(arena=1000 * 8192, max_small=8192)
    objects = [large(made.m, n) for n in (300, 1, 200, 1, 200, 1)]
    made.collect(objects[1::2])
    assert runs(made) == [(0, 300), (301, 200), (502, 200), (703, 297)]

    assert large(made.m, 150) == objects[2]


@given(st.integers(1, 1 << 40))
def test_metadata_is_rounded_up_by_an_eighth_at_most(n: int) -> None:
    """And everything that rounds to the same size shares a free list."""
    at, rounded = metaclass(n)

    assert n <= rounded <= n + n // 8
    assert metaclass(rounded) == (at, rounded)


@given(st.lists(st.integers(1, 3000), min_size=2, max_size=50))
def test_larger_metadata_never_has_a_lower_list(sizes: list[int]) -> None:
    """So a list holds blocks of one size."""
    at = [metaclass(n) for n in sorted(sizes)]

    assert at == sorted(at)


def test_metadata_larger_than_a_chunk_is_taken_by_itself() -> None:
    """A span of many small objects with tiny chunks."""
    made = Made(arena=8192, metachunk=64)
    p = made.m.mallocgc(8, 1)

    assert pointermask(made.m, p) == 1
    assert made.problems() == []


def test_an_arena_is_rounded_up_to_pages() -> None:
    """A byte more than two pages makes three."""
    made = Made(arena=2 * 8192 + 1)

    assert made.heap.npages == 3
    assert made.heap.arena_end - made.heap.arena_start == 3 * 8192
