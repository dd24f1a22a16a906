"""The account of the heap sees every fault planted in it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from mutator.heap import ALLOCATED, MARKED, MSTATS, SPAN, SPECIAL, HeapLocal
from mutator.heap.record import CENTRAL
from tests.mutator.heap.flat import Made
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


class ForgetsMarks(HeapLocal):
    """A sweep that leaves the marks of the living."""

    def sweepbits(self, span: int) -> int:
        """Put them back."""
        cells = self.port.words[span + SPAN.objs] // 8
        n = -(-self.port.words[span + SPAN.nelems] // 8)
        before = self.port.hints(cells, n)
        freed = super().sweepbits(span)
        for at, word in enumerate(before, cells):
            self.port.words[at] |= word & 0x0202020202020202
        return freed


class ForgetsToCount(HeapLocal):
    """An allocation that does not count a span's second object."""

    def publish(self, span: int, index: int, mask: int) -> int:
        """Take the count back."""
        p = super().publish(span, index, mask)
        self.port.words[span + SPAN.nalloc] -= index == 1
        return p


class ForgetsTheStatistics(HeapLocal):
    """A sweep whose bytes are not taken off the heap's size."""

    def sweepbits(self, span: int) -> int:
        """Put them back."""
        size = self.port.words[span + SPAN.elemsize]
        freed = super().sweepbits(span)
        self.port.words[self.mstats + MSTATS.heap_alloc] += freed * size
        return freed


class ForgetsToJoin(HeapLocal):
    """A page heap that lists a run without looking at its neighbours."""

    def _coalesce(self, span: int) -> None:
        self.port.words[span + SPAN.needzero] = 1
        self._listrun(span)


class ForgetsTheRing(HeapLocal):
    """A central list that keeps a span with free slots among the full ones."""

    def mcentral_freespan(self, span: int, *, wasfull: bool, preserve: bool) -> bool:
        """Do not move it."""
        del wasfull
        return super().mcentral_freespan(span, wasfull=False, preserve=preserve)


class ForgetsTheSpecial(HeapLocal):
    """A sweep that frees objects and leaves their specials."""

    def sweepspecials(self, span: int) -> None:
        """Nothing."""


class LosesPages(HeapLocal):
    """A cut that throws the rest away."""

    def _cut(self, span: int, npages: int) -> None:
        self.port.words[span + SPAN.npages] = npages


class SkipsSlots(HeapLocal):
    """A sweep that does not turn freeindex back."""

    def sweepbits(self, span: int) -> int:
        """Keep it."""
        before = self.port.words[span + SPAN.freeindex]
        freed = super().sweepbits(span)
        self.port.words[span + SPAN.freeindex] = before
        return freed


class KeepsTheLargeOnes(HeapLocal):
    """A sweep that does not give back the pages of a large object."""

    def mheap_free(self, span: int) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("cls", "complaint"),
    [
        (ForgetsMarks, "has bits 0011"),
        (ForgetsToCount, "objects, nalloc says"),
        (ForgetsTheStatistics, "heap_alloc is"),
        (ForgetsToJoin, "lie side by side"),
        (ForgetsTheRing, "not on its ring, or on the wrong one"),
        (ForgetsTheSpecial, "which is not allocated"),
        (LosesPages, "pages of no span"),
        (SkipsSlots, "is free, freeindex is"),
        (KeepsTheLargeOnes, "in use, and without an object"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_planted_fault_is_seen(cls: type[HeapLocal], complaint: str) -> None:
    """One override each, and the account names it; the faithful heap has none of these complaints."""
    assert any(complaint in line for line in _aftermath(cls))
    assert _aftermath(HeapLocal) == []


def _aftermath(cls: type[HeapLocal]) -> list[str]:
    """What the account says after some allocation and a collection, as far as that got."""
    made = Made(cls=cls, arena=1 << 19)
    with suppress(Throw):
        objects = [made.m.mallocgc(1024, 1) for _ in range(24)] + [made.m.mallocgc(40960, 0) for _ in range(3)]
        for p in objects[::2]:
            made.m.addspecial(p, 2, 0)
        made.collect([*objects[:3], *objects[4:8], *objects[16:20]])
    return made.problems()


def mangled(mangle: Callable[[Made, int, int], object]) -> list[str]:
    """What the account says of a heap after `mangle(made, object, its span)`."""
    made = Made()
    p = made.m.mallocgc(64, 1)
    q = made.m.mallocgc(64, 1)
    made.collect([p])
    assert made.problems() == []
    mangle(made, q, made.m.spanOf(p))
    return made.problems()


def test_a_store_into_a_freed_object_is_seen() -> None:
    """Poison that is not there any more was written over."""
    lines = mangled(lambda made, q, _: made.machine.poke(q // 8 + 3, 7))

    assert len(lines) == 1
    assert "of free slot 1 holds 0x7" in lines[0]


def test_bits_behind_the_last_object_are_seen() -> None:
    """A span of 85 objects leaves three bytes of a word over."""
    made = Made()
    p = made.m.mallocgc(96, 1)
    made.machine.or8(made.machine.peek(made.m.spanOf(p) + SPAN.objs) + 85, ALLOCATED)

    assert any("bits behind its last object" in line for line in made.problems())


def test_a_mark_on_a_free_slot_is_seen() -> None:
    """Nobody may mark what is no object."""
    lines = mangled(lambda made, q, _: made.machine.or8(made.m.heapBitsForObject(q)[1], MARKED))

    assert any("free slot 1 has bits 0010" in line for line in lines)


def test_marks_are_no_fault_before_the_sweep() -> None:
    """If the audit is told so."""
    made = Made()
    p = made.m.mallocgc(64, 1)
    made.mark(p)

    assert made.problems(marks=True) == []
    assert made.problems() != []


def test_two_spans_with_one_page_are_seen() -> None:
    """In the records, and in the spans table."""

    def mangle(made: Made, _: int, span: int) -> None:
        made.machine.poke(span + SPAN.npages, 2)

    assert any("belongs to span" in line for line in mangled(mangle))


def test_a_wrong_spans_table_is_seen() -> None:
    """A lookup would go to the wrong span."""
    lines = mangled(lambda made, _, span: made.machine.poke(made.heap.spans, span + 1))

    assert any("in the spans table as span" in line for line in lines)


def test_a_stranger_on_a_central_ring_is_seen() -> None:
    """A span belongs on the ring of its own class."""

    def mangle(made: Made, _: int, span: int) -> None:
        made.m.ringremove(span)
        made.m.ringinsert(made.m.mcentral(9) + CENTRAL.nonempty, span)

    lines = mangled(mangle)
    assert any("which are not of it" in line for line in lines)


def test_a_free_run_on_the_wrong_list_is_seen() -> None:
    """It would be cut to a length that it does not have."""

    def mangle(made: Made, _: int, span: int) -> None:
        run = made.machine.peek(made.heap.spans + 1)
        assert run != span
        made.m.ringremove(run)
        made.m.ringinsert(made.heap.free + 2 * 3, run)
        made.m.ringinsert(made.heap.free + 2 * 4, span)

    lines = mangled(mangle)
    assert any("is not on its list" in line for line in lines)
    assert any("which are not free" in line for line in lines)


def test_specials_out_of_order_are_seen() -> None:
    """The sweeper goes through them from offset to offset."""
    made = Made()
    objects = [made.m.mallocgc(64, 1) for _ in range(2)]
    for p in objects:
        made.m.setfinalizer(p, 8)
    first = made.machine.peek(made.m.spanOf(objects[0]) + SPAN.specials)
    made.machine.poke(first + SPECIAL.offset, 128)

    assert any("specials out of order" in line for line in made.problems())
