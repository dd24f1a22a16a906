"""Counts the different ones of many hashes in bounded memory, also over several searches: the least of them tell how many.

Of hashes that are spread evenly the LEAST least are kept.  With fewer than that all are there and the number is exact;
otherwise the greatest that is kept tells how dense they lie, within some 6 % (Bar-Yossef, Jayram, Kumar, Sivakumar and
Trevisan, 2002).  The least ones of a union are among the least ones of its parts.
"""

from __future__ import annotations

from hashlib import blake2b
from heapq import nsmallest
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST = 256
BITS = 64


def least(hashes: Iterable[int]) -> list[int]:
    """The least ones, spread evenly: not all that hashes to integers is."""
    return nsmallest(LEAST, {spread(one) for one in hashes})


def spread(one: int) -> int:
    """One of them."""
    return int.from_bytes(blake2b(one.to_bytes(BITS // 8 + 1, signed=True), digest_size=BITS // 8).digest())


class Distinct:
    """A union."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def add(self, some: Iterable[int]) -> None:
        """What `least` has given for a part."""
        self.kept = sorted({*self.kept, *some})[:LEAST]

    @property
    def number(self) -> int:
        """How many there are, exactly or about."""
        if len(self.kept) < LEAST:
            return len(self.kept)
        return round((LEAST - 1) * (1 << BITS) / self.kept[-1])
