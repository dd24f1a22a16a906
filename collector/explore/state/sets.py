"""Where the items of a set lie: that decides in which order a loop meets them, and where those go that are added later.

CPython keeps a set's items in a table, each in the place that its hash says unless another one, or what is left of one that
was removed, lies there.  Python tells the order of the places that are taken, and nothing of those that were: that is read
from the set's memory, as it is laid out from 3.7 on.  Whether it is, is tried when this module is imported.
"""

from __future__ import annotations

import sys
from ctypes import c_ssize_t
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

HEADER = object.__basicsize__
"""Bytes before its fields: how many places are not free, how many taken, mask, address of the table, hash, finger."""
EMPTY, TAKEN, USED = ".", "o", "x"
"""What a place is: free, an item's, or that of an item that was removed."""


def places(v: AbstractSet[Any]) -> str:
    """One letter for each place in the table of `v`, and the finger: where `pop` goes on."""
    _, _, mask, table, _, finger = (c_ssize_t * 6).from_address(id(v) + HEADER)
    words = iter((c_ssize_t * (2 * mask + 2)).from_address(table))
    letters = (TAKEN if h != -1 and key else USED if key else EMPTY for key, h in zip(words, words, strict=True))
    return f"{''.join(letters)}:{finger}"


def _readable() -> bool:
    """Is the memory of a set as it is taken to be?"""
    if sys.implementation.name != "cpython":
        return False
    tried = {1, 2}
    fields = (c_ssize_t * 3).from_address(id(tried) + HEADER)
    if [*fields] != [2, 2, 7]:
        return False
    tried.add(3)
    tried.discard(2)
    return places(tried) == ".oxo....:0"


READABLE = _readable()
layout = places if READABLE else lambda v: str(v.__sizeof__())
"""All that is to be known of a set beside its items in order."""


def items_changed(held: Sequence[Any], now: Sequence[Any]) -> Iterator[int | None]:
    """Items that a set has got or lost, if where they lie has nothing to do with others; None if it is not that simple.

    The `layout` comes last.
    """
    *were, was = held
    *are, lies = now
    if not READABLE or not all(type(item) is int for item in (*were, *are)):
        yield None
        return
    gone, come = {*were} - {*are}, {*are} - {*were}
    if lies == _expected(was, gone, come):
        yield from gone | come
    else:
        yield None


def _expected(was: str, gone: set[int], come: set[int]) -> str:
    """The layout, if each item lies, or has lain, in the place of its own; empty if one cannot."""
    table, _, finger = was.partition(":")
    letters = [*table]
    for items, before, after in ((gone, TAKEN, USED), (come, EMPTY, TAKEN)):
        for item in items:
            at = hash(item) % len(letters)
            if letters[at] != before:
                return ""
            letters[at] = after
    return f"{''.join(letters)}:{finger}"
