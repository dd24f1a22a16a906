"""Heap metadata of an object: one byte with its allocated and mark bits, and a mask of its pointer words.

Theory of operation.  Go keeps four bits per heap word: boundary, marked, and two of type.  Here each object has one byte
(the boundary and mark bits of its first word, a bit for the verifying mark, and whether the type is dead, that is without
pointers), and each object with pointers has a mask with one bit per word.  It is the same information, but a marker reads
it with two loads instead of one per word.

The byte is changed by an atomic OR while mutators and markers run, because eight objects share a word.  Only the sweeper,
which has the span to itself, clears bits, by plain stores of whole words.
"""

from __future__ import annotations

from workbuf.machine import MASK64, WORD


ALLOCATED = 1
"""Go's boundary bit: an object begins here.  Set last of all when an object is born."""
MARKED = 2
CHECKMARKED = 4
"""Reached by the verifying mark."""
DEAD = 8
"""The object has no pointers: it is marked and never queued."""

BYTES = 0x0101010101010101
"""Bit 0 of each of a word's eight bytes; times a bit, that bit of each."""
POISON = 0xDEADDEADDEADDEAD
"""What sweep writes over every word of a freed object."""


def maskwords(mask: int, n: int) -> list[int]:
    """A pointer mask as `n` words, 64 bits a word, lowest first."""
    raw = mask.to_bytes(n * WORD, "little")
    return [int.from_bytes(raw[at : at + WORD], "little") for at in range(0, len(raw), WORD)]


class PointerTable(dict[int, tuple[int, ...]]):
    """From a mask word to the numbers of its set bits, ascending; each mask is decoded once and kept."""

    LIMIT = 1 << 16
    """Masks kept at most: real heaps have few thousand shapes, random ones would grow without bound."""

    def __missing__(self, mask: int) -> tuple[int, ...]:
        """Decode a mask not seen before."""
        if len(self) >= self.LIMIT:
            self.clear()
        rest = mask & MASK64
        found = []
        while rest:
            low = rest & -rest
            found.append(low.bit_length() - 1)
            rest ^= low
        self[mask] = slots = tuple(found)
        return slots
