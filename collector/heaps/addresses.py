"""Resolves pointers to object numbers, for the readers of dumps that hold addresses (Go, HPROF).

A reader adds objects, areas and finalizers as it meets them, pointers still being addresses.  `finish` puts the objects
in order of address and looks every pointer up by bisection: it points into the object whose [address, address + size)
holds it, or outside the heap, and is then dropped and counted.  Objects must not overlap.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from collector.heaps.graph import NO_GROUP, NONE, Areas, Finalizers, Graph, Kind, Source, column, typed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class OverlapError(Exception):
    """Two objects share a byte.  For the reader, which turns it into a HeapError with the name of the file."""

    def __init__(self, first: int, size: int, second: int) -> None:
        super().__init__(f"an object at {second:#x} inside the {size} bytes at {first:#x}")


class Unresolved:
    """A heap under construction.  The columns are public: a reader's hot loop appends to them itself."""

    def __init__(self) -> None:
        self.address = column()
        self.size = column()
        self.first = array("Q", [0])
        """One entry more than objects: after the slots of each object, append len(value)."""
        self.offset = column()
        self.value = column()
        self.digest = array("I")
        """CRC-32 of the memory of each object; empty where a format has none."""
        self.type = column()
        """A key for the type of each object; empty where a format has none."""
        self.areas = Areas()
        """Its `target` column holds addresses, its `interior` column nothing."""
        self.finalizers: list[tuple[int, int]] = []
        """(address that it was set on, address of the closure)"""

    def area(self, kind: Kind, name: str, size: int, slots: Iterable[tuple[int, int]], group: int = NO_GROUP) -> None:
        """An area of `size` bytes with `slots` of (offset, address); sorted here, a repeated offset taken once."""
        for offset, value in sorted(dict(slots).items()):
            self.areas.offset.append(offset)
            self.areas.target.append(value)
        self.areas.close(kind, name, size, group)

    def finish(self, source: Source, *, exact: bool = False, typename: Callable[[int], str] = str) -> Graph:
        """The graph; `source.dropped` gains what pointed outside.  Raises OverlapError.

        `typename`: the name of the type of a key.

        `exact`: a reference is the address of an object and never one inside it (HPROF, whose sizes are not known).
        """
        self._sort()
        extent: Sequence[int] = array("Q", [1]) * len(self.address) if exact else self.size
        lookup = _Lookup(self.address, extent)
        first, offset, target, interior = lookup.slots(self.first, self.offset, self.value)
        roots = self.areas
        kept = lookup.slots(roots.first, roots.offset, roots.target)
        roots.first, roots.offset, roots.target, roots.interior = kept
        finalizers = Finalizers()
        unset = 0
        for at, closure in self.finalizers:
            i, inside = lookup.find(at)
            if i == NONE:
                unset += 1
            else:
                finalizers.add(i, inside, *lookup.find(closure))
        source.dropped.update({"pointers outside the heap": lookup.outside, "finalizers on no object": unset})
        columns = (self.address, self.size, first, offset, target, interior)
        return Graph(source, *columns, roots, finalizers, self.digest, *typed(self.type, typename))

    def _sort(self) -> None:
        """Put the objects in order of address; dumps write spans, so whole runs of neighbours move together."""
        address, size, digest, kind = self.address, self.size, self.digest, self.type
        first, offset, value = self.first, self.offset, self.value
        self.address, self.size, self.offset, self.value = column(), column(), column(), column()
        self.first = array("Q", [0])
        self.digest, self.type = array("I"), column()
        for start, stop in _runs(sorted(range(len(address)), key=address.__getitem__)):
            shift = len(self.value) - first[start]
            self.address += address[start:stop]
            self.size += size[start:stop]
            self.digest += digest[start:stop]
            self.type += kind[start:stop]
            self.first.extend([at + shift for at in first[start + 1 : stop + 1]])
            self.offset += offset[first[start] : first[stop]]
            self.value += value[first[start] : first[stop]]


class _Lookup:
    """Objects by address: `address` ascending, object i filling `extent[i]` bytes."""

    def __init__(self, address: array[int], extent: Sequence[int]) -> None:
        for (a, b), size in zip(pairwise(address), extent, strict=False):
            if b - a < size:
                raise OverlapError(a, size, b)
        self._address = list(address)  # a list: bisecting an array makes an int for every probe
        self._extent = extent
        self.outside = 0
        """Pointers that were looked up in `slots` and point into no object."""

    def find(self, value: int) -> tuple[int, int]:
        """(object, byte inside it), or (NONE, 0) for a pointer out of the heap."""
        i = bisect_right(self._address, value) - 1
        if i < 0 or value - self._address[i] >= self._extent[i]:
            return NONE, 0
        return i, value - self._address[i]

    def slots(
        self, first: array[int], offset: array[int], value: array[int]
    ) -> tuple[array[int], array[int], array[int], array[int]]:
        """Slot columns with the pointers looked up, without those that point outside: first, offset, target, interior."""
        address, extent = self._address, self._extent
        kept, at, target, interior = array("Q", [0]), column(), column(), column()
        for start, stop in pairwise(first):
            for k in range(start, stop):
                v = value[k]
                i = bisect_right(address, v) - 1
                if i >= 0 and (inside := v - address[i]) < extent[i]:
                    at.append(offset[k])
                    target.append(i)
                    interior.append(inside)
            kept.append(len(target))
        self.outside += len(value) - len(target)
        return kept, at, target, interior


def _runs(order: list[int]) -> Iterator[tuple[int, int]]:
    """The ranges of consecutive numbers in `order`, as (start, stop)."""
    if not order:
        return
    start = previous = order[0]
    for i in order[1:]:
        if i != previous + 1:
            yield start, previous + 1
            start = i
        previous = i
    yield start, previous + 1
