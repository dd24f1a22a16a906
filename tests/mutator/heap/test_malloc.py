"""Allocation, lookup and a heap's whole life against a dict."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mutator.heap import ALLOCATED, DEAD, MARKED, MHEAP, POISON, SPAN, SPAN_IN_USE, SPAN_STACK, HeapLocal
from mutator.heap.bits import BYTES
from mutator.phase import GCmark, GCmarktermination, GCoff
from mutator.world import RUNTIME
from tests.mutator.heap.flat import Made, pointermask
from workbuf.machine import WORD
from workbuf.throw import Throw


class Life(RuleBasedStateMachine):
    """A heap that two Ms allocate in, collected now and then, beside a dict of what must be in it.

    Every word of every object is written with the object's own address, so an overlap, a lost write, a freed object that
    was alive or one that was not zeroed cannot stay hidden.
    """

    heaps: ClassVar[dict[str, dict[str, int]]] = {
        "pages of 64 bytes": {"arena": 64 * 200, "page_size": 64, "metachunk": 64},
        "pages of 256 bytes": {"arena": 256 * 60, "page_size": 256, "metachunk": 128},
        "Go's pages": {"arena": 1 << 22},
    }

    @initialize(kind=st.sampled_from(sorted(heaps)))
    def make(self, kind: str) -> None:
        """Begin with an empty heap."""
        sizes = self.heaps[kind]
        self.made = Made(ms=2, cls=HeapLocal, **sizes)
        self.live: dict[int, tuple[int, int]] = {}
        self.room = sizes["arena"] // 3
        self.most = 8 * sizes.get("page_size", 8192)

    @rule(size=st.integers(0, 300), mask=st.integers(0), m=st.integers(0, 1))
    def small(self, size: int, mask: int, m: int) -> None:
        """Allocate a small object on one of the Ms."""
        self._new(size, mask, m)

    @rule(size=st.integers(0, 1 << 16), mask=st.integers(0), m=st.integers(0, 1))
    def any_size(self, size: int, mask: int, m: int) -> None:
        """Allocate an object of any size, large ones included."""
        self._new(size % self.most, mask, m)

    def _new(self, size: int, mask: int, m: int) -> None:
        made, n = self.made, -(-size // WORD)
        used = sum(size for size, _ in self.live.values())
        if used + size > self.room:
            return
        mask &= (1 << n) - 1
        p = made.ms[m].mallocgc(size, mask)

        assert made.object(p, n) == [0] * n
        assert all(p + size <= q or q + max(s, 1) <= p for q, (s, _) in self.live.items())
        made.machine.fill(p // WORD, n, p)
        self.live[p] = size, mask

    @precondition(lambda self: self.live)
    @rule(data=st.data(), sweep=st.booleans())
    def collect(self, data: st.DataObject, *, sweep: bool) -> None:
        """Collect all but some, and sweep now or leave it to those who allocate."""
        keep = data.draw(st.sets(st.sampled_from(sorted(self.live))))
        self.made.collect(sorted(keep), sweep=sweep)
        self.live = {p: self.live[p] for p in keep}

    @rule()
    def sweep_a_span(self) -> None:
        """Sweep one span."""
        self.made.m.sweepone()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def look_up(self, data: st.DataObject) -> None:
        """Any pointer into an object finds the object, its bits and its mask."""
        p = data.draw(st.sampled_from(sorted(self.live)))
        size, mask = self.live[p]
        inside = p + data.draw(st.integers(0, max(size - 1, 0)))
        for m in self.made.ms:
            base, hbits, bits = m.heapBitsForObject(inside)

            assert base == p
            assert bits == m.bitsat(hbits)
            assert bits & ALLOCATED
            assert bool(bits & DEAD) == (mask == 0)
            assert pointermask(m, inside) == mask
            assert m.pointerslots(inside) == (p, [i for i in range(-(-size // WORD)) if mask >> i & 1])
            assert m.inheap(inside)

    @precondition(lambda self: hasattr(self, "made"))
    @invariant()
    def adds_up(self) -> None:
        """The account is in order, and the objects hold what was stored in them."""
        unswept = not self.made.machine.peek(self.made.heap.mheap + MHEAP.sweepdone)

        assert self.made.problems(marks=unswept) == []
        for p, (size, _) in self.live.items():
            assert self.made.object(p, -(-size // WORD)) == [p] * -(-size // WORD)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=25)


def test_slots_of_a_span_are_taken_in_ascending_order() -> None:
    """Three objects of a class lie side by side."""
    m = Made().m
    a, b, c = (m.mallocgc(48, 1) for _ in range(3))

    assert (b - a, c - b) == (48, 48)


def test_objects_with_and_without_pointers_have_spans_of_their_own() -> None:
    """A span without pointers keeps no masks, and its objects are born dead."""
    m = Made().m
    a, b = m.mallocgc(16, 0b10), m.mallocgc(16, 0)

    assert m.spanOf(a) != m.spanOf(b)
    assert m.heapBitsForObject(a)[2] == ALLOCATED
    assert m.heapBitsForObject(b)[2] == ALLOCATED | DEAD
    assert m.port.words[m.spanOf(b) + SPAN.masks] == 0


def test_no_bytes_take_a_slot_of_the_smallest_class() -> None:
    """There is no shared object of size zero: each has an address of its own."""
    m = Made().m

    assert m.mallocgc(0, 0) != m.mallocgc(0, 0)


def test_help_is_asked_for_when_the_mcache_is_refilled_and_for_large_objects() -> None:
    """`shouldhelpgc` is what the tail of an allocation goes by."""
    m = Made().m
    asked = []
    for _ in range(8192 // 1024 + 1):
        m.mallocgc(1024, 0)
        asked.append(m.shouldhelpgc)
    m.mallocgc(40000, 0)

    assert asked == [True, *[False] * 7, True]
    assert m.shouldhelpgc


def test_a_mask_of_many_words_is_kept_whole() -> None:
    """An object of 200 words has a mask of four cells."""
    m = Made().m
    mask = 1 << 199 | 1 << 128 | 1 << 63 | 1
    p = m.mallocgc(1600, mask)
    q = m.mallocgc(1600, mask << 1 & (1 << 200) - 1)

    assert m.port.words[m.spanOf(p) + SPAN.maskwords] > 1
    assert pointermask(m, p) == mask
    assert m.pointerslots(q) == (q, [1, 64, 129])


def test_large_objects_have_a_span_and_its_end_to_themselves() -> None:
    """What lies behind a large object on its last page is no part of it."""
    made = Made()
    p = made.m.mallocgc(5 * 8192 - 100, 1 << 5000)

    assert made.m.heapBitsForObject(p + 5 * 8192 - 101)[0] == p
    assert made.m.heapBitsForObject(p + 5 * 8192 - 1) == (0, 0, 0)
    assert pointermask(made.m, p) == 1 << 5000
    assert made.stat("heap_alloc") == 5 * 8192


@pytest.mark.parametrize("where", ["below", "above", "untouched"], ids=str)
def test_an_address_outside_of_every_span_is_no_object(where: str) -> None:
    """Below and above the arena, and on a page that was never used."""
    made = Made()
    made.m.mallocgc(8, 0)
    p = {"below": 8, "above": made.heap.arena_end, "untouched": made.heap.arena_end - 8}[where]

    assert made.m.heapBitsForObject(p) == (0, 0, 0)
    assert not made.m.inheap(p)
    assert pointermask(made.m, p) == 0
    assert made.m.pointerslots(p) == (0, [])


def test_a_stack_span_is_refused() -> None:
    """A pointer into a span that holds a stack is not a pointer to an object."""
    made = Made()
    p = made.m.mallocgc(8, 0)
    made.machine.poke(made.m.spanOf(p) + SPAN.state, SPAN_STACK)

    assert made.m.heapBitsForObject(p) == (0, 0, 0)
    assert made.m.spanOf(p) == 0


def test_a_slot_without_an_object_is_found_and_says_so() -> None:
    """Go finds it too; that the bits lack ALLOCATED is what betrays a pointer to a freed object."""
    made = Made()
    p, q = (made.m.mallocgc(16, 1) for _ in range(2))
    made.collect([p])
    base, _, bits = made.m.heapBitsForObject(q)

    assert (base, bits & ALLOCATED) == (q, 0)
    assert made.m.pointerslots(q) == (0, [])


def test_facts_of_spans_are_remembered_while_marking() -> None:
    """And only then: no span is freed between one sweep and the next, and none is not in use any more."""
    made = Made(arena=8192)
    m = made.m
    p = m.mallocgc(16, 1)
    assert m.heapBitsForObject(p)[0] == p
    assert m.spanof == {}
    made.machine.poke(made.world.gcphase, GCmark)
    assert m.heapBitsForObject(p)[0] == p
    start, limit, elemsize, nelems, objs, masks, maskwords = m.spanof[0]

    assert (start, limit, elemsize, nelems, maskwords) == (p, p + 8192, 16, 512, 1)
    assert objs == m.heapBitsForObject(p)[1]
    assert made.machine.peek(masks) == 1


def test_facts_of_an_earlier_collection_are_forgotten() -> None:
    """A lookup never serves the facts of a span that is gone."""
    made = Made(arena=8192)
    m = made.m
    p = m.mallocgc(16, 1)
    made.machine.poke(made.world.gcphase, GCmark)
    assert m.inheap(p)
    made.machine.poke(made.world.gcphase, GCoff)
    made.collect([])
    assert not m.inheap(p)
    assert m.mallocgc(48, 0) == p

    assert m.heapBitsForObject(p + 50)[0] == p + 48
    assert m.spanof == {}


def test_a_page_without_a_span_is_not_remembered() -> None:
    """Otherwise a span made during the mark would stay invisible to the marker."""
    made = Made()
    made.machine.poke(made.world.gcphase, GCmark)
    assert made.m.spanfacts(0) is None
    p = made.m.mallocgc(8, 1)

    assert made.m.heapBitsForObject(p)[0] == p


def test_in_mark_termination_objects_are_born_marked() -> None:
    """Black allocation, and in the phase before it they are white."""
    made = Made()
    made.machine.poke(made.world.gcphase, GCmark)
    white = made.m.mallocgc(16, 1)
    made.machine.poke(made.world.gcphase, GCmarktermination)
    black = made.m.mallocgc(16, 1)

    assert made.m.heapBitsForObject(white)[2] == ALLOCATED
    assert made.m.heapBitsForObject(black)[2] == ALLOCATED | MARKED


def test_marking_a_new_object_in_another_phase_throws() -> None:
    """Go's text."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    _, hbits, _ = made.m.heapBitsForObject(p)
    with pytest.raises(Throw, match=r"^fatal error: marking new object while not in mark termination phase$"):
        made.m.gcmarknewobject(hbits)


def test_allocating_while_checkmark_runs_throws() -> None:
    """Go's text."""
    made = Made()
    made.machine.poke(made.world.gcphase, GCmarktermination)
    made.machine.poke(made.world.runtime + RUNTIME.checkmarkphase, 1)
    with pytest.raises(Throw, match=r"^fatal error: gcmarknewobject called while doing checkmark$"):
        made.m.mallocgc(16, 1)


class Spied(Exception):
    """Raised in the moment of publication."""


def test_mask_and_zeroes_are_there_before_the_object_is() -> None:
    """When the ALLOCATED bit is set, a marker that looks finds the mask and no poison."""
    made = Made()
    m = made.m
    old = [m.mallocgc(32, 0b1000) for _ in range(8)]
    made.collect(old[1:])
    seen = []

    def spy(hbits: int, bits: int) -> None:
        masks = made.machine.peek(m.spanOf(old[0]) + SPAN.masks)
        seen.append((made.machine.peek(masks), made.object(old[0], 4), m.bitsat(hbits) & ALLOCATED, bits & ALLOCATED))
        raise Spied

    made.machine.or8 = spy
    assert made.object(old[0], 4) == [POISON] * 4
    with pytest.raises(Spied):
        m.mallocgc(32, 0b11)
    assert seen == [(0b11, [0] * 4, 0, 1)]


def test_a_mask_wider_than_the_object_is_refused() -> None:
    """It would spill into the next object's mask."""
    m = Made().m
    with pytest.raises(Throw, match="mallocgc: pointer outside of the object"):
        m.mallocgc(16, 0b100)


def test_an_m_without_an_mcache_cannot_allocate() -> None:
    """Idle Ms have no P, and so no mcache."""
    made = Made()
    helper = type(made.m)(made.machine, made.world, made.world.newm("helper", p=False))
    with pytest.raises(Throw, match="mallocgc called without a P or outside bootstrapping"):
        helper.mallocgc(16, 0)


def test_refilling_an_mcache_whose_span_has_room_throws() -> None:
    """Go's text; it would lose the span's slots."""
    made = Made()
    made.m.mallocgc(16, 0)
    spanclass = made.m.class_of[2] << 1 | 1
    with pytest.raises(Throw, match="refill on a nonempty span"):
        made.m.mcache_refill(spanclass)


def test_flushing_gives_spans_back_and_counts_what_was_allocated() -> None:
    """After it heap_alloc is exact, and another M goes on where the first one stopped."""
    made = Made(ms=2)
    first, second = made.ms
    p = first.mallocgc(64, 1)
    assert made.stat("heap_alloc") == 0
    second.flushallmcaches()

    assert made.stat("heap_alloc") == 64
    assert made.stat("nmalloc") == 1
    assert made.problems() == []
    assert second.mallocgc(64, 1) == p + 64


def test_an_arena_that_is_full_throws_and_says_how_large_it_is() -> None:
    """After everything that can be swept was swept."""
    made = Made(arena=4 * 8192, max_small=8192)
    garbage = made.m.mallocgc(4 * 8192 - 1, 0)
    made.collect([], sweep=False)

    assert made.m.mallocgc(4 * 8192, 0) == garbage
    with pytest.raises(Throw, match="runtime: no run of 1 free pages in an arena of 4\nfatal error: out of memory"):
        made.m.mallocgc(8, 0)


def test_more_mcaches_than_there_is_room_for_are_refused() -> None:
    """In one line that says what to do."""
    with pytest.raises(ValueError, match="allocate the heap with a larger max_mcaches"):
        Made(ms=3, max_mcaches=2)


def test_an_arena_has_at_least_a_page() -> None:
    """In one line."""
    with pytest.raises(ValueError, match="arena of 0 bytes: must hold at least one page of 8192"):
        Made(arena=0)


def test_the_bits_of_eight_objects_share_a_word() -> None:
    """Which is why a mark is an atomic OR and why allocation reads its word without ordering."""
    made = Made()
    objects = [made.m.mallocgc(8, 1) for _ in range(8)]
    made.mark(objects[3])
    cell = made.m.heapBitsForObject(objects[0])[1] // WORD

    assert made.machine.peek(cell) == BYTES * ALLOCATED | MARKED << 24
    assert made.machine.peek(made.m.spanOf(objects[0]) + SPAN.state) == SPAN_IN_USE
