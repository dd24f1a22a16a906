"""Finalizers: set and taken away, queued once, their objects kept for one more round."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutator.heap import FIN, FINALIZER, FINBLOCK, MHEAP, SPECIAL, HeapLocal
from tests.mutator.heap.flat import Made, wholemask
from workbuf.machine import WORD
from workbuf.throw import Throw


OTHER = 2
"""A kind of special that is no finalizer."""
CLOSURE = 8
"""A closure outside the heap."""


def queued(m: HeapLocal) -> list[tuple[int, int]]:
    """Take everything off the finalizer queue."""
    return list(iter(m.takefinalizer, None))


def attached(made: Made, p: int) -> list[tuple[int, int, int]]:
    """Offset, kind and closure of the specials of the span at `p`."""
    peek = made.machine.peek
    return [
        (peek(at + SPECIAL.offset), peek(at + SPECIAL.kind), peek(at + SPECIAL.fn))
        for at in made.m.specials(made.m.spanOf(p))
    ]


def test_a_finalizer_is_queued_once_and_its_object_kept_for_that_round() -> None:
    """Found dead: queued and kept.  Found dead again, the finalizer having run: freed."""
    made = Made()
    p = made.m.mallocgc(32, 1)
    made.m.setfinalizer(p, CLOSURE)
    made.collect([p])
    assert queued(made.m) == []
    made.collect([])

    assert made.allocated(p)
    assert made.object(p, 4) == [0] * 4
    assert queued(made.m) == [(CLOSURE, p)]
    assert queued(made.m) == []
    made.collect([])
    assert not made.allocated(p)
    assert made.problems() == []


def test_a_finalizer_that_was_taken_away_is_not_queued() -> None:
    """And the object goes like any other."""
    made = Made()
    p = made.m.mallocgc(32, 1)
    made.m.setfinalizer(p, CLOSURE)
    made.m.setfinalizer(p, 0)
    made.m.setfinalizer(p, 0)
    made.collect([])

    assert not made.allocated(p)
    assert queued(made.m) == []


def test_a_second_finalizer_throws() -> None:
    """Go's text."""
    made = Made()
    p = made.m.mallocgc(32, 1)
    made.m.setfinalizer(p, CLOSURE)
    with pytest.raises(Throw, match=r"runtime\.SetFinalizer: finalizer already set"):
        made.m.setfinalizer(p, CLOSURE)


def test_an_address_outside_of_the_heap_throws() -> None:
    """Go's texts, of SetFinalizer and of the two below it."""
    m = Made().m
    with pytest.raises(Throw, match=r"runtime\.SetFinalizer: pointer not in heap"):
        m.setfinalizer(8, CLOSURE)
    with pytest.raises(Throw, match="addspecial on invalid pointer"):
        m.addspecial(8, FINALIZER, CLOSURE)
    with pytest.raises(Throw, match="removespecial on invalid pointer"):
        m.removespecial(8, FINALIZER)


@pytest.mark.parametrize(("size", "mask"), [(16, 1), (32, 0)], ids=str)
def test_an_interior_pointer_throws(size: int, mask: int) -> None:
    """Go's text, unless the object may be a block of tiny ones."""
    m = Made().m
    p = m.mallocgc(size, mask)
    with pytest.raises(Throw, match=r"runtime\.SetFinalizer: pointer not at beginning of allocated block"):
        m.setfinalizer(p + 8, CLOSURE)


def test_tiny_objects_in_one_block_have_finalizers_of_their_own() -> None:
    """Both are queued, each with its own address, and the block is kept for both."""
    made = Made()
    p = made.m.mallocgc(16, 0)
    made.m.setfinalizer(p + 8, 2 * CLOSURE)
    made.m.setfinalizer(p, CLOSURE)
    made.collect([])

    assert made.allocated(p)
    assert sorted(queued(made.m)) == [(CLOSURE, p), (2 * CLOSURE, p + 8)]


def test_a_special_of_another_kind_stays_while_the_finalizer_keeps_the_object() -> None:
    """It goes with the object, a round later."""
    made = Made()
    p, q = (made.m.mallocgc(32, 1) for _ in range(2))
    made.m.setfinalizer(p, CLOSURE)
    assert made.m.addspecial(p, OTHER, 0)
    assert not made.m.addspecial(p, OTHER, 0)
    made.collect([q])
    assert attached(made, q) == [(0, OTHER, 0)]
    made.collect([q])

    assert attached(made, q) == []
    assert not made.m.removespecial(q, OTHER)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([FINALIZER, OTHER]), st.booleans()), max_size=40))
def test_specials_are_kept_in_order(actions: list[tuple[int, int, bool]]) -> None:
    """By offset, then kind, whatever the order they come and go in."""
    made = Made(arena=8192, finblock=64)
    objects = [made.m.mallocgc(32, 1) for _ in range(10)]
    model: set[tuple[int, int]] = set()
    for i, kind, add in actions:
        key = i * 32, kind
        if add:
            assert made.m.addspecial(objects[i], kind, CLOSURE) == (key not in model)
            model.add(key)
        else:
            assert made.m.removespecial(objects[i], kind) == (key in model)
            model.discard(key)

    assert attached(made, objects[0]) == [(*key, CLOSURE) for key in sorted(model)]
    assert made.problems() == []


@given(st.data())
def test_every_dead_object_with_a_finalizer_is_queued_and_no_other(data: st.DataObject) -> None:
    """Whoever is marked keeps its finalizer; whoever has none is freed."""
    made = Made(arena=8192 * 4, finblock=64 + 40)
    objects = [made.m.mallocgc(32, 1) for _ in range(20)]
    some = st.sets(st.sampled_from(objects))
    finalized, live = data.draw(some), data.draw(some)
    for p in finalized:
        made.m.setfinalizer(p, p)
    made.collect(sorted(live))

    assert Counter(queued(made.m)) == Counter((p, p) for p in finalized - live)
    assert {p for p in objects if made.allocated(p)} == live | finalized
    made.collect(sorted(live))
    assert queued(made.m) == []
    assert {p for p in objects if made.allocated(p)} == live | finalized & live


def test_adding_a_finalizer_sweeps_the_span_first() -> None:
    """Otherwise the sweeper would find the list changing under its hands."""
    made = Made()
    p = made.m.mallocgc(32, 1)
    made.collect([p], sweep=False)
    made.m.setfinalizer(p, CLOSURE)

    assert made.m.isswept(made.m.spanOf(p))


def test_the_entries_of_a_finalizer_block_are_roots() -> None:
    """Behind the block's header, `cnt` entries whose closure and argument the bitmap calls pointers."""
    made = Made()
    p, q = (made.m.mallocgc(32, 1) for _ in range(2))
    made.m.setfinalizer(p, q)
    made.collect([q])
    (block,) = made.m.finblocks()
    entry = block + FINBLOCK.size
    peek = made.machine.peek

    assert peek(block + FINBLOCK.cnt) == 1
    assert (peek(entry + FIN.fn), peek(entry + FIN.arg)) == (q, p)
    assert made.heap.finentries == 101
    mask = wholemask(made.machine.hints(made.heap.finptrmask, 8))
    assert mask == sum(0b11 << 5 * i for i in range(101))
    made.m.takefinalizer()
    assert (peek(entry + FIN.fn), peek(entry + FIN.arg)) == (0, 0)


def test_blocks_are_filled_before_further_ones_are_made_and_used_again() -> None:
    """Five entries in blocks of two take three blocks, and so do the next five."""
    made = Made(finblock=3 * WORD + 2 * 40)
    for _ in range(2):
        objects = [made.m.mallocgc(32, 1) for _ in range(5)]
        for p in objects:
            made.m.setfinalizer(p, CLOSURE)
        made.collect([])
        counts = sorted(made.machine.peek(block + FINBLOCK.cnt) for block in made.m.finblocks())

        assert counts == [1, 2, 2]
        assert made.machine.peek(made.heap.mheap + MHEAP.fingwake) == 1
        assert sorted(queued(made.m)) == [(CLOSURE, p) for p in sorted(objects)]
        assert made.machine.peek(made.heap.mheap + MHEAP.fingwake) == 0


def test_a_finalizer_block_holds_an_entry_at_least() -> None:
    """In one line."""
    with pytest.raises(ValueError, match="finalizer block of 32 bytes: holds no entry"):
        Made(finblock=32)


def test_a_removed_special_looks_dead_to_a_walk_that_stands_on_it() -> None:
    """The collector walks without the lock: its next step ends, among specials (O-19)."""
    made = Made()
    objects = [made.m.mallocgc(32, 1) for _ in range(3)]
    for p in objects:
        made.m.setfinalizer(p, CLOSURE)
    walk = made.m.specials(made.m.spanOf(objects[0]))
    standing = next(walk)
    made.m.setfinalizer(objects[0], 0)
    seen = list(walk)

    assert made.machine.peek(standing + SPECIAL.kind) == 0
    assert len(seen) <= 2
    assert all(made.machine.peek(at + SPECIAL.kind) in (0, FINALIZER) for at in seen)
