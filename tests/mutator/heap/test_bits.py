"""Object bytes, pointer masks, and Go's view of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutator.heap.bits import (
    ALLOCATED,
    CHECKMARKED,
    DEAD,
    MARKED,
    PointerTable,
    maskwords,
)
from tests.mutator.heap.flat import wholemask


TYPE_DEAD = 0
TYPE_SCALAR = 1
TYPE_POINTER = 2


def typebits(mask: int, word: int) -> int:
    """Type of word number `word` of an object with pointer mask `mask`; dead where no pointer is or follows."""
    rest = mask >> word
    if rest & 1:
        return TYPE_POINTER
    return TYPE_SCALAR if rest else TYPE_DEAD


def heapbits(bits: int, mask: int, word: int) -> int:
    """Go's four bits for a word: boundary, marked, type << 2.  `bits` is the object's byte."""
    return (bits & (ALLOCATED | MARKED) if word == 0 else 0) | typebits(mask, word) << 2


@given(st.integers(0, (1 << 64) - 1))
def test_a_mask_decodes_to_its_set_bits(mask: int) -> None:
    """In ascending order, and the same the second time."""
    table = PointerTable()

    assert table[mask] == tuple(i for i in range(64) if mask >> i & 1)
    assert table[mask] is table[mask]


def test_the_table_of_masks_is_bounded() -> None:
    """More masks than it keeps are decoded all the same."""
    table = PointerTable()
    for mask in range(table.LIMIT + 10):
        table[mask]

    assert len(table) <= table.LIMIT
    assert table[0b101] == (0, 2)


@given(st.integers(0, 1 << 300), st.integers(5, 8))
def test_cutting_a_mask_into_words_loses_nothing(mask: int, n: int) -> None:
    """`wholemask` puts together what `maskwords` cut."""
    cells = maskwords(mask, n)

    assert len(cells) == n
    assert wholemask(cells) == mask


@pytest.mark.parametrize(
    ("word", "expected"),
    [(0, TYPE_SCALAR), (1, TYPE_POINTER), (2, TYPE_SCALAR), (3, TYPE_POINTER), (4, TYPE_DEAD), (5, TYPE_DEAD)],
    ids=str,
)
def test_types_follow_from_the_mask(word: int, expected: int) -> None:
    """Pointer where the bit is, scalar before the last pointer, dead behind it."""
    assert typebits(0b1010, word) == expected


def test_gos_nibble_of_the_first_word() -> None:
    """Boundary in bit 0, mark in bit 1, type in bits 2 and 3; the other bits of the byte do not show."""
    assert heapbits(ALLOCATED, 0b1, 0) == 0b1001
    assert heapbits(ALLOCATED | MARKED, 0b10, 0) == 0b0111
    assert heapbits(ALLOCATED | MARKED | CHECKMARKED | DEAD, 0, 0) == 0b0011


def test_gos_nibble_of_a_later_word() -> None:
    """Has a type and neither boundary nor mark."""
    assert heapbits(ALLOCATED | MARKED, 0b10, 1) == 0b1000
