"""Bulk loading."""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mutator.heap import place
from tests.mutator.heap.flat import Made, pointermask
from workbuf.machine import WORD


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[int, list[int]]]:
    """Sizes in bytes, and for each the offsets of its pointers."""
    objects = []
    for size in draw(st.lists(st.one_of(st.integers(0, 200), st.integers(0, 60000)), max_size=25)):
        n = size // WORD
        slots = draw(st.sets(st.integers(0, n - 1), max_size=8)) if n else set()
        objects.append((size, [WORD * i for i in sorted(slots)]))
    return objects


def load(made: Made, objects: list[tuple[int, list[int]]]) -> array[int]:
    """Place them."""
    sizes = array("Q", [size for size, _ in objects])
    first = array("Q", accumulate((len(slots) for _, slots in objects), initial=0))
    return place(made.m, sizes, first, array("Q", [offset for _, slots in objects for offset in slots]))


@settings(max_examples=30)
@given(graphs())
def test_loading_is_what_allocating_one_by_one_would_have_done(objects: list[tuple[int, list[int]]]) -> None:
    """Every object is there, zeroed, with its mask, apart from the others; and the heap adds up, statistics included."""
    made, other = Made(arena=1 << 22), Made(arena=1 << 22)
    addresses = load(made, objects)
    for size, slots in objects:
        other.m.mallocgc(size, sum(1 << offset // WORD for offset in slots))
    other.m.flushallmcaches()

    assert made.problems() == []
    assert len(addresses) == len(objects)
    assert made.stat("heap_alloc") == other.stat("heap_alloc")
    assert made.stat("nmalloc") == other.stat("nmalloc") == len(objects)
    for p, (size, slots) in zip(addresses, objects, strict=True):
        assert made.allocated(p)
        assert pointermask(made.m, p) == sum(1 << offset // WORD for offset in slots)
        assert made.object(p, -(-size // WORD)) == [0] * -(-size // WORD)
    ends = sorted((p, p + max(size, 1)) for p, (size, _) in zip(addresses, objects, strict=True))
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ends))


def test_loading_into_used_pages_leaves_no_poison_and_no_old_masks() -> None:
    """Pages and metadata of freed spans are used again."""
    made = Made(arena=1 << 16, metachunk=256)
    for _ in range(3):
        old = [made.m.mallocgc(1600, (1 << 200) - 1) for _ in range(20)]
        assert all(made.allocated(p) for p in old)
        made.collect([])
    objects = [(1600, [0, 1592])] * 10 + [(64, [8])] * 100 + [(40, [])] * 9
    addresses = load(made, objects)

    assert made.problems() == []
    for p, (size, slots) in zip(addresses, objects, strict=True):
        assert made.m.pointerslots(p) == (p, [offset // WORD for offset in slots])
        assert made.object(p, size // WORD) == [0] * (size // WORD)


def test_allocation_goes_on_in_the_slots_that_loading_left() -> None:
    """A span that loading did not fill is on its central list."""
    made = Made()
    addresses = load(made, [(48, [0])] * 3)

    assert made.m.mallocgc(48, 1) == addresses[-1] + 48


def test_loaded_objects_are_collected_like_others() -> None:
    """Those not marked are freed."""
    made = Made()
    addresses = load(made, [(48, [0])] * 300 + [(40000, [8000])] * 2)
    live = {*addresses[::7], addresses[300]}
    made.collect(sorted(live))

    assert {p for p in addresses if made.allocated(p)} == live
    assert made.problems() == []


def test_nothing_to_load_is_no_trouble() -> None:
    """No objects, no spans."""
    made = Made()

    assert len(load(made, [])) == 0
    assert made.problems() == []
