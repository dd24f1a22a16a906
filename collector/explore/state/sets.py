"""Where the items of a set lie: that decides in which order a loop meets them, and where those go that are added later.

CPython keeps a set's items in a table, each in the place that its hash says unless another one, or what is left of one that
was removed, lies there.  Python tells the order of the places that are taken, and nothing of those that were: that is read
from the set's memory, as it is laid out from 3.7 on.  Whether it is, is tried when this module is imported.
"""

from __future__ import annotations

import sys
from ctypes import c_ssize_t
from typing import TYPE_CHECKING, Any, NamedTuple


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


class Place(NamedTuple):
    """A place in a set's table, as something that turns have to do with: items that belong there are in each other's way."""

    number: int


LAID = "how its items lie"
"""Stands for all slots of a set, for who sees in which order its items are met."""


def items_changed(held: Sequence[Any], now: Sequence[Any]) -> Iterator[object]:
    """Items that a set of integers has got or lost, and their places if where each lies has nothing to do with others.

    If it has, LAID comes instead of those.  None of a set of anything else.  The `layout` comes last.
    """
    *were, was = held
    *are, lies = now
    if not READABLE or not all(type(item) is int for item in (*were, *are)):
        yield None
        return
    gone, come = {*were} - {*are}, {*are} - {*were}
    letters, _, finger = was.partition(":")
    home = {item: hash(item) % len(letters) for item in gone | come}
    expected = [*letters]
    for items, letter in ((gone, USED), (come, TAKEN)):
        for item in items:
            expected[home[item]] = letter
    apart = len({*home.values()}) == len(home) and all(
        (letters[home[item]] == TAKEN) == (item in gone) for item in home
    )
    yield from home
    if apart and lies == f"{''.join(expected)}:{finger}":
        yield from map(Place, home.values())
    else:
        yield LAID
