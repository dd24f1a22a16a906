"""Names of cells: `work.full`, `m2.currentwbuf`, `arena[17]`, for traces, throws and reports.

A label names a range of cells and, if it has fields, its first ones each.  Ranges may lie inside one another (a buffer
inside persistentalloc's chunk); the one that begins last before a cell, and of those the one given last, names it.  So
a lookup is a bisection and, where labels are nested, a few steps back.

Labels are given while threads run.  An append to a list is atomic; a lookup first sorts in what was appended, under a
lock.  So a label costs next to nothing: the stepped machine gives all of them anew in every schedule.
"""

from __future__ import annotations

from bisect import bisect_right
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Sequence


class Name(NamedTuple):
    """What a cell is called: a field of a record, an element of an array, or a word by itself."""

    record: str
    field: str = ""
    element: int = -1
    """Place in the array; -1: it is in none."""

    @property
    def noun(self) -> str:
        """The record that the cell lies in, `wbuf3`; of an array the element, `arena[17]`."""
        return self.record if self.element < 0 else f"{self.record}[{self.element}]"

    def __str__(self) -> str:
        return f"{self.record}.{self.field}" if self.field else self.noun


class Label(NamedTuple):
    """`n` cells from `start`."""

    start: int
    n: int
    name: str
    fields: Sequence[str]

    def of(self, a: int) -> Name:
        """The name of cell `a`, which lies in the range."""
        i = a - self.start
        if i < len(self.fields):
            return Name(self.name, self.fields[i])
        return Name(self.name) if self.n == 1 else Name(self.name, element=i)


class Names:
    """All labels of a memory, sorted by where they begin."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.given: list[tuple[int, int, str, Sequence[str]]] = []
        """In order of time; those up to `_sorted` are sorted in."""
        self._sorted = 0
        self._starts: list[int] = []
        self._labels: list[Label] = []
        self._known: dict[int, Name] = {}
        """Of cells that were asked for since the last label."""

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = ()) -> None:
        """Name `n` cells from `a`: `name.field` where a field is given, else `name[i]`, or just `name` if `n` is 1."""
        self.given.append((a, n, name, fields))

    def clear(self) -> None:
        """Forget all labels."""
        self.given.clear()
        if self._sorted:
            with self._lock:
                self._sorted = 0
                self._starts.clear()
                self._labels.clear()
                self._known.clear()

    def named(self, a: int) -> Name:
        """What cell `a` is called; `cell 123` if nobody named it."""
        name = self._known.get(a) if self._sorted == len(self.given) else None
        if name is None:
            with self._lock:
                self._sort()
                name = self._known[a] = self._found(a)
        return name

    def _found(self, a: int) -> Name:
        for i in range(bisect_right(self._starts, a) - 1, -1, -1):
            label = self._labels[i]
            if a < label.start + label.n:
                return label.of(a)
        return Name(f"cell {a}")

    def _sort(self) -> None:
        """Sort in what was given since the last time."""
        given = self.given
        while self._sorted < len(given):
            self._known.clear()
            label = Label(*given[self._sorted])
            at = bisect_right(self._starts, label.start)
            self._starts.insert(at, label.start)
            self._labels.insert(at, label)
            self._sorted += 1
