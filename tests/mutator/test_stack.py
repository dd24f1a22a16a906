"""Stacks: frames, their maps, their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mutator.stack import FRAME
from mutator.world import G, Segment, bitmap
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from tests.worlds import Bench


@pytest.mark.parametrize(
    ("pointers", "n", "cells"),
    [
        ([], 0, []),
        ([], 3, [0]),
        ([0, 2], 3, [0b101]),
        ([63], 64, [1 << 63]),
        ([0, 64, 65], 66, [1, 0b11]),
        (range(130), 130, [(1 << 64) - 1, (1 << 64) - 1, 0b11]),
    ],
)
def test_a_bitmap_has_64_words_a_cell_lowest_bit_first(pointers: list[int], n: int, cells: list[int]) -> None:
    """Bit i of cell k says whether word 64 k + i is a pointer."""
    assert bitmap(pointers, n) == cells


def test_a_stackmap_is_made_once_for_equal_bitmaps(bench: Bench) -> None:
    """Equal in length and bits; each M has its own."""
    m = bench.gcm
    first = m.stackmap(70, [0, 69])

    assert [bench.peek(first), bench.peek(first + 1)] == [1, 1 << 5]
    assert m.stackmap(70, [0, 69]) == first
    assert m.stackmap(71, [0, 69]) != first
    assert m.stackmap(70, [0]) != first
    assert bench.mutators[0].stackmap(70, [0, 69]) != first


def test_frames_nest_and_are_walked_innermost_first(bench: Bench) -> None:
    """A frame begins where its caller's words end; locals come before arguments."""
    m, gp = bench.gcm, bench.gcm.curg
    outer = m.pushframe(gp, 3, m.stackmap(3, [0]), 2, m.stackmap(2, [1]))
    inner = m.pushframe(gp, 1, m.stackmap(1, [0]))

    assert outer == bench.g(gp, "stackbase") + FRAME.size
    assert inner == outer + 5 + FRAME.size
    assert list(m.frames(gp)) == [inner - FRAME.size, outer - FRAME.size]
    assert bench.g(gp, "frame") == inner - FRAME.size

    m.popframe(gp)
    assert list(m.frames(gp)) == [outer - FRAME.size]
    m.popframe(gp)
    assert list(m.frames(gp)) == []


def test_a_frame_begins_with_zeroes_where_another_has_been(bench: Bench) -> None:
    """What a returned function left on the stack is no pointer of the next."""
    m = bench.gcm
    for i in range(4):
        bench.machine.poke(m.call(4) + i, 0xDEAD)
        m.ret()

    cell = m.call(4)

    assert [bench.peek(cell + i) for i in range(4)] == [0] * 4


def test_call_makes_every_local_a_pointer(bench: Bench) -> None:
    """Programs keep pointers in their frames and nothing else."""
    cell = bench.gcm.call(3)
    frame = cell - FRAME.size

    assert bench.peek(bench.peek(frame + FRAME.localsmask)) == 0b111
    assert [bench.peek(frame + FRAME.nlocals), bench.peek(frame + FRAME.nargs)] == [3, 0]
    assert bench.peek(frame + FRAME.continpc) != 0


def test_a_stack_overflow_throws_and_pushes_nothing(bench: Bench) -> None:
    """The last frame that fits ends exactly where the stack does."""
    m, gp = bench.gcm, bench.world.newg("small", stackwords=2 * FRAME.size + 5)
    m.pushframe(gp, 2, m.stackmap(2, [0]))
    frames = list(m.frames(gp))
    end = bench.g(gp, "stackend")
    words = [bench.peek(a) for a in range(bench.g(gp, "stackbase"), end + 4)]

    with pytest.raises(Throw, match="stack overflow") as thrown:
        m.pushframe(gp, 3, m.stackmap(3, [0]), 1, m.stackmap(1, [0]))

    assert thrown.value.printed == (f"goroutine {bench.g(gp, 'goid')}: no room for 4 words",)
    assert list(m.frames(gp)) == frames
    assert [bench.peek(a) for a in range(bench.g(gp, "stackbase"), end + 4)] == words

    cell = m.pushframe(gp, 3, m.stackmap(3, [0]))
    assert cell + 3 == end


def test_a_segment_is_all_pointers(bench: Bench) -> None:
    """Both data and bss hold what the loader and the programs put there: pointers."""
    segment = Segment.make(bench.machine, "segment", 70)

    assert [bench.peek(segment.mask), bench.peek(segment.mask + 1)] == [(1 << 64) - 1, 0b111111]
    assert segment.slot(3) == (segment.base + 3) * WORD


def test_an_empty_segment_has_no_pointers(bench: Bench) -> None:
    """It still has an address, and a scan of it looks at nothing."""
    segment = Segment.make(bench.machine, "segment", 0)

    assert segment.n == 0
    assert bench.peek(segment.mask) == 0


def test_every_goroutine_and_m_has_its_own_records(bench: Bench) -> None:
    """Stacks do not overlap, an M and its goroutine know each other, helpers have neither P nor goroutine."""
    gs = bench.world.records(bench.world.allgs, bench.runtime("allglen"))
    stacks = [(bench.g(gp, "stackbase"), bench.g(gp, "stackend")) for gp in gs]

    assert [bench.g(gp, "goid") for gp in gs] == [0, 1, 2]
    assert all(end <= start for (_, end), (start, _) in zip(sorted(stacks), sorted(stacks)[1:], strict=False))
    for m in (bench.gcm, *bench.mutators):
        assert bench.g(m.curg, "m") == m.record
        assert m.ownp
    for m in bench.helpers:
        assert (m.curg, m.ownp, m.mcache) == (0, 0, 0)
    assert len({bench.peek(gp + G.stackbase) for gp in gs}) == 3
