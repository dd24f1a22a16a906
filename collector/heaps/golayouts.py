"""A cache of object layouts (where pointers lie) for Go dumps, since most objects share a few field lists.

A layout takes all pointers of an object out of its memory in one call, and is looked up by the bytes of the field list.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from struct import Struct, error
from typing import TYPE_CHECKING

from collector.heaps.errors import MismatchError
from collector.heaps.gorecords import field_list
from collector.heaps.graph import WORD


if TYPE_CHECKING:
    from collections.abc import Sequence


FIELDS = re.compile(rb"(?:\x01[\x80-\xff]*+[\x00-\x7f])*+\x00")
"""A field list; the possessive repeats keep a long one from piling up ways to go back."""
LIMIT = 256
"""Bytes of a field list that is worth remembering."""


@dataclass(slots=True)
class Layout:
    """Where the pointers of an object lie, with how to take them out of its memory."""

    offsets: Sequence[int]
    need: int
    """Bytes of memory up to the end of the last slot."""
    words: Struct


class Layouts:
    """The layouts met so far, for a byte order of `struct`."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._known: dict[bytes, Layout] = {}

    def get(self, key: bytes) -> Layout | None:
        """The layout of a field list; None for one that is too long, or not as an object's should be."""
        return self._known.get(key) or self._new(key)

    def _new(self, key: bytes) -> Layout | None:
        if len(key) > LIMIT:
            return None
        try:
            offsets, _ = field_list(key, 0)
        except MismatchError:
            return None
        end = 0
        words = self._order
        for offset in offsets:
            if offset < end:
                return None
            words += f"{offset - end}xQ"
            end = offset + WORD
        try:
            layout = self._known[key] = Layout(array("Q", offsets), end, Struct(words))
        except error:  # longer than any memory
            return None
        return layout
