"""Assigns offsets to the references of an object where the format gives none: words in a row behind a header word.

V8 and CPython say which objects an object refers to and how large it is, not where the references lie.  Word 0 is taken
for a header, reference k lies at byte 8 + 8 * k, and a size is rounded up to whole words and raised to hold them all.
"""

from __future__ import annotations

from array import array
from itertools import chain, pairwise

from collector.heaps.graph import WORD


SIZE_LIMIT = 1 << 40
"""Bytes: where a size is only a number in the input, a larger object or heap is not believed."""


def behind_header(first: array[int], declared: array[int]) -> tuple[array[int], array[int]]:
    """Slot offsets and object sizes, for objects of `declared` bytes with slots first[i] .. first[i + 1]."""
    counts = [stop - start for start, stop in pairwise(first)]
    offset = array("Q", chain.from_iterable(range(WORD, WORD + WORD * n, WORD) for n in counts))
    sizes = (max(size + -size % WORD, WORD + WORD * n) for size, n in zip(declared, counts, strict=True))
    return offset, array("Q", sizes)
