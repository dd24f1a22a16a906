"""Sweeping: what is freed, what is kept, who sweeps what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutator.heap import ALLOCATED, CHECKMARKED, MARKED, MHEAP, POISON, SPAN, HeapLocal
from mutator.world import RUNTIME
from tests.mutator.heap.flat import Made
from workbuf.throw import Throw


SIZES = st.lists(st.integers(1, 5000), min_size=1, max_size=25)


@settings(max_examples=40)
@given(SIZES, st.data())
def test_sweep_frees_exactly_the_unmarked(sizes: list[int], data: st.DataObject) -> None:
    """And leaves no mark on the others."""
    made = Made()
    objects = [made.m.mallocgc(size, size & 1) for size in sizes]
    live = data.draw(st.sets(st.sampled_from(objects)))
    made.collect(sorted(live))

    assert {p for p in objects if made.allocated(p)} == live
    assert all(made.m.heapBitsForObject(p)[2] & (MARKED | CHECKMARKED) == 0 for p in live)
    assert made.stat("nfree") == len(objects) - len(live)
    assert made.problems() == []


@settings(max_examples=40)
@given(SIZES, st.data())
def test_every_word_of_a_freed_object_is_poison(sizes: list[int], data: st.DataObject) -> None:
    """So that a load through a stale pointer is seen, wherever in the object it goes; live objects are left alone."""
    made = Made()
    objects = {made.m.mallocgc(size, 0): -(-size // 8) for size in sizes}
    live = data.draw(st.sets(st.sampled_from(sorted(objects))))
    for p, n in objects.items():
        made.machine.fill(p // 8, n, 1)
    made.collect(sorted(live))

    for p, n in objects.items():
        assert made.object(p, n) == [1 if p in live else POISON] * n


def test_a_freed_slot_is_zeroed_when_it_is_used_again() -> None:
    """The poison is nobody's data."""
    made = Made()
    p, q = (made.m.mallocgc(64, 1) for _ in range(2))
    made.collect([q])

    assert made.m.mallocgc(64, 1) == p
    assert made.object(p, 8) == [0] * 8


def test_a_span_without_objects_goes_back_and_is_used_for_another_class() -> None:
    """Pages are not tied to a size."""
    made = Made(arena=8192)
    p = made.m.mallocgc(16, 1)
    made.collect([])

    assert made.m.mallocgc(8192, 0) == p


def test_what_is_freed_is_taken_off_the_heaps_size_and_off_its_goal() -> None:
    """The goal was set for a heap that still counted the garbage; here GOGC is 50."""
    made = Made()
    made.machine.poke(made.world.runtime + RUNTIME.gcpercent, 50)
    objects = [made.m.mallocgc(1024, 0) for _ in range(8000 // 8)]
    made.collect(objects[:600], sweep=False)
    goal = made.stat("next_gc")
    made.m.finishsweep_m()

    assert made.stat("heap_alloc") == 600 * 1024
    assert made.stat("next_gc") == goal - 400 * 1024 * 3 // 2


def test_goals_go_down_as_at_100_when_gogc_is_off() -> None:
    """A negative GOGC has no proportion of its own."""
    made = Made()
    made.machine.poke(made.world.runtime + RUNTIME.gcpercent, (1 << 64) - 1)
    made.m.mallocgc(40000, 0)
    made.collect([], sweep=False)
    goal = made.stat("next_gc")
    made.m.finishsweep_m()

    assert made.stat("next_gc") == goal - 2 * 40960


def test_a_span_is_swept_by_whoever_allocates_from_it() -> None:
    """The mcache gets a swept span back, and only that one was swept."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    other = made.m.mallocgc(32, 1)
    made.collect([other], sweep=False)
    assert made.m.mallocgc(16, 1) == p

    assert made.m.isswept(made.m.spanOf(p))
    assert not made.m.isswept(made.m.spanOf(other))
    assert made.m.spans_swept == 1
    assert made.m.finishsweep_m() == 1


def test_full_spans_are_swept_when_slots_run_out() -> None:
    """Rather than growing the heap: the second kilobyte object of the second round lies where the first round's did."""
    made = Made()
    first = [made.m.mallocgc(1024, 0) for _ in range(16)]
    made.collect([first[0], first[8]], sweep=False)
    second = [made.m.mallocgc(1024, 0) for _ in range(14)]

    assert sorted(second) == sorted(set(first) - {first[0], first[8]})
    assert made.problems() == []


def test_pages_are_swept_free_before_the_heap_grows() -> None:
    """A fresh span of another class takes the pages of swept garbage, not untouched ones."""
    made = Made()
    garbage = [made.m.mallocgc(40960, 0) for _ in range(3)]
    made.collect([], sweep=False)
    p = made.m.mallocgc(40960, 1)

    assert p in garbage
    assert made.m.spans_swept == 1


def test_sweepone_tells_the_pages_it_gave_back_and_the_end() -> None:
    """Pages of a span that is freed, 0 for one that stays, -1 when none is left."""
    made = Made()
    made.m.mallocgc(40960, 0)
    live = made.m.mallocgc(16, 0)
    made.collect([live], sweep=False)
    told = [made.m.sweepone() for _ in range(3)]

    assert told == [5, 0, -1]
    assert made.machine.peek(made.heap.mheap + MHEAP.sweepdone) == 1
    assert made.m.sweepone() == -1


def test_a_span_that_somebody_sweeps_is_left_to_them() -> None:
    """h-1 is not taken a second time, by nobody."""
    made = Made(ms=2)
    p = made.m.mallocgc(16, 1)
    made.collect([p], sweep=False)
    span = made.m.spanOf(p)
    made.machine.poke(span + SPAN.sweepgen, made.m.sweepgen() - 1)
    first, second = made.ms

    assert first.sweepone() == -1
    assert second.mallocgc(16, 1) != p + 16
    assert first.spans_swept == second.spans_swept == 0


def test_an_unmarked_object_lives_one_collection_at_most() -> None:
    """Garbage made before a collection is gone after it; made during it, after the next."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    for generation in range(1, 4):
        made.collect([p])
        assert made.allocated(p)
        assert made.m.sweepgen() == 2 * generation
    made.collect([])
    assert not made.allocated(p)


def test_the_verifying_marks_bit_is_cleared_too() -> None:
    """Or the next verifying mark would believe it."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    made.m.flushallmcaches()
    made.machine.or8(made.m.heapBitsForObject(p)[1], MARKED | CHECKMARKED)
    made.m.arm_sweep()
    made.m.finishsweep_m()

    assert made.m.heapBitsForObject(p)[2] == ALLOCATED


def test_sweeping_while_checkmark_runs_throws() -> None:
    """Go's text."""
    made = Made()
    made.m.mallocgc(16, 1)
    made.collect([], sweep=False)
    made.machine.poke(made.world.runtime + RUNTIME.checkmarkphase, 1)
    with pytest.raises(Throw, match="MSpan_Sweep: checkmark only runs in STW and after the sweep"):
        made.m.sweepone()


def test_sweeping_a_span_that_was_not_acquired_throws() -> None:
    """Go's text, after the span's state."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    made.collect([], sweep=False)
    with pytest.raises(
        Throw, match=r"^MSpan_Sweep: state=in use sweepgen=0 mheap\.sweepgen=2\nfatal error: .*bad span state$"
    ):
        made.m.mspan_sweep(made.m.spanOf(p))


def test_a_span_that_changes_hands_during_its_sweep_throws() -> None:
    """Go's text: somebody else has stored its sweepgen meanwhile."""

    class Intruder(HeapLocal):
        def sweepbits(self, span: int) -> int:
            n = super().sweepbits(span)
            self.port.store(span + SPAN.sweepgen, self.sweepgen())
            return n

    made = Made(cls=Intruder)
    p = made.m.mallocgc(16, 1)
    made.collect([p], sweep=False)
    with pytest.raises(Throw, match="MSpan_Sweep: bad span state after sweep"):
        made.m.sweepone()


def test_a_large_span_cannot_be_preserved() -> None:
    """Go's text: it has no list to keep it for."""
    made = Made()
    p = made.m.mallocgc(40960, 1)
    made.collect([], sweep=False)
    span = made.m.spanOf(p)
    made.machine.poke(span + SPAN.sweepgen, 1)
    with pytest.raises(Throw, match="can't preserve large span"):
        made.m.mspan_sweep(span, preserve=True)


def test_arming_the_sweep_with_a_span_in_an_mcache_throws() -> None:
    """Objects could be allocated in it unswept, and be freed at once."""
    made = Made()
    made.m.mallocgc(16, 1)
    with pytest.raises(Throw, match="sweep armed with a span in an mcache"):
        made.m.arm_sweep()


def test_a_cached_span_is_not_freed_into() -> None:
    """Go's text."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    with pytest.raises(Throw, match="freespan into cached span"):
        made.m.mcentral_freespan(made.m.spanOf(p), wasfull=False, preserve=False)


def test_giving_back_a_span_with_objects_throws() -> None:
    """Go's text."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    with pytest.raises(Throw, match="MHeap_FreeSpanLocked - invalid free"):
        made.m.mheap_free(made.m.spanOf(p))


def test_a_collection_looks_at_the_spans_of_its_snapshot() -> None:
    """Spans made later are new and have nothing to say."""
    made = Made()
    p = made.m.mallocgc(16, 1)
    made.m.snapshotspans()
    before = list(made.m.allspans())
    for size in (32, 48, 64):
        made.m.mallocgc(size, 1)

    assert made.m.spanOf(p) in before
    assert list(made.m.allspans()) == before
    assert made.machine.peek(made.heap.mheap + MHEAP.nspan) > len(before)


def test_a_long_run_stops_taking_memory_from_the_system() -> None:
    """Records, bits, masks and pages are used again: twenty rounds need what seven did."""
    made = Made(arena=1 << 20, metachunk=512)
    taken = []
    for round_ in range(20):
        live = []
        for size in (8, 24, 100, 700, 3000, 9000, 40000):
            objects = [made.m.mallocgc(size, round_ % 2) for _ in range(10)]
            live += objects[::3]
        made.collect(live if round_ % 3 else [])
        taken.append(len(made.machine.words))

    assert taken[-1] == taken[6]
    assert made.problems() == []
