"""The heap graph that every reader returns: objects, pointers and roots, stored as columns of numbers.

Objects are numbered 0 upwards.  Object `i` has

    address[i]                  where it was in the process that was dumped (an identity number where a format has none)
    size[i]                     bytes, at least what its slots need
    first[i] .. first[i + 1]    its pointer slots, in the slot columns:
        offset[k]               byte offset of the slot inside the object: a multiple of 8, ascending, offset + 8 <= size
        target[k]               the object that it points into
        interior[k]             the byte inside that object that it points at

Only slots that point into the heap are kept; the others (nil, static data, weak references) are counted in
`Source.dropped`.  Where a format gives no places for its references (V8, HPROF, CPython), word 0 is taken for a header
and the references lie in the words behind it, in the order of the dump, and `size` is raised to hold them.

Roots are areas of words outside the heap, each with its own slots in the same form (`Areas`): the data and bss segments,
the frames of each goroutine's stack, the queue of finalizers, and whatever else a format names.  `size` and `offset` are
the dump's own, so that an area can be laid out as it was; a loader that wants it compact puts the kept slots into
consecutive words, in order, since everything between them is no pointer into the heap.  The frames of one goroutine are
consecutive areas, innermost first, and share its number as `group`.

A finalizer (Go's special) is not a root: its object may be found dead.  Everything that the object's slots reach
is kept all the same, and so is the closure.

Where a format tells types, `types[type[i]]` is the name of the type of object i.

All columns are `array('Q')` (unsigned 64-bit), 24 bytes an object and 24 bytes a slot; `digest` and `type` are 4 bytes more.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from collector.heaps.goprocess import GoProcess


NONE = (1 << 64) - 1
"""In a column of object numbers: outside the heap."""
NO_GROUP = NONE
WORD = 8


class Kind(IntEnum):
    """The kinds of root, as Go's markroot tells them apart."""

    DATA = 0
    BSS = 1
    STACK = 2
    QUEUED = 3
    """Finalizers that wait to be run: their closures and objects."""
    OTHER = 4


def column() -> array[int]:
    """An empty column of unsigned 64-bit numbers."""
    return array("Q")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a heap came from and what the reader left out; counts unless said."""

    name: str
    format: str
    """go, v8, hprof, cpython or synthetic."""
    version: str
    word: int = WORD
    """Bytes in a pointer of the process that was dumped."""
    byte_order: str = "little"
    declared_bytes: int = 0
    """Sum of the sizes in the dump, before any was raised to hold its slots."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Why slots, roots or finalizers were left out, and how many."""
    heap_objects: int | None = None
    """Go's own MemStats.HeapObjects; fewer than the objects of the dump where it holds phantoms."""
    notes: tuple[str, ...] = ()
    process: GoProcess | None = None
    """Of a Go dump: which process made it, and when."""


@dataclass(slots=True)
class Areas:
    """Roots, in columns like those of the objects: area `i` has slots first[i] .. first[i + 1]."""

    kind: bytearray = field(default_factory=bytearray)
    group: array[int] = field(default_factory=column)
    """Goroutine or thread number of a STACK area, else NO_GROUP."""
    size: array[int] = field(default_factory=column)
    first: array[int] = field(default_factory=lambda: array("Q", [0]))
    name: list[str] = field(default_factory=list)
    """The function of a frame, the segment's or the format's own word otherwise."""
    offset: array[int] = field(default_factory=column)
    target: array[int] = field(default_factory=column)
    interior: array[int] = field(default_factory=column)

    def __len__(self) -> int:
        return len(self.kind)

    def slot(self, offset: int, target: int, interior: int = 0) -> None:
        """Add a slot to the area that the next `close` ends."""
        self.offset.append(offset)
        self.target.append(target)
        self.interior.append(interior)

    def close(self, kind: Kind, name: str, size: int, group: int = NO_GROUP) -> None:
        """End an area of `size` bytes whose slots were added since the last one ended."""
        self.kind.append(kind)
        self.group.append(group)
        self.size.append(size)
        self.first.append(len(self.target))
        self.name.append(name)

    def stacks(self) -> Iterator[tuple[int, range]]:
        """Each goroutine with its frames: (group, numbers of its areas, innermost frame first)."""
        start = 0
        for i in range(1, len(self) + 1):
            if i == len(self) or self.kind[i] != Kind.STACK or self.group[i] != self.group[start]:
                if self.kind[start] == Kind.STACK:
                    yield self.group[start], range(start, i)
                start = i


@dataclass(slots=True)
class Finalizers:
    """Specials: one column entry for each finalizer that was set on an object and has not been queued."""

    object: array[int] = field(default_factory=column)
    offset: array[int] = field(default_factory=column)
    """Byte inside the object that the finalizer was set on."""
    closure: array[int] = field(default_factory=column)
    """Object of the function value to call, or NONE where it lies outside the heap."""
    interior: array[int] = field(default_factory=column)

    def __len__(self) -> int:
        return len(self.object)

    def add(self, object: int, offset: int, closure: int, interior: int) -> None:  # noqa: A002 - the column's name
        """One more finalizer."""
        self.object.append(object)
        self.offset.append(offset)
        self.closure.append(closure)
        self.interior.append(interior)


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A heap in columns; see the module's text.  Nobody writes to it once a reader has returned it."""

    source: Source
    address: array[int]
    size: array[int]
    first: array[int]
    offset: array[int]
    target: array[int]
    interior: array[int]
    roots: Areas
    finalizers: Finalizers
    digest: array[int] = field(default_factory=lambda: array("I"))
    """CRC-32 of each object's memory, where the dump holds it (Go), else empty: the referee tells by it whether what lies
    at an address in two dumps can be the same object."""
    type: array[int] = field(default_factory=lambda: array("I"))
    """Of each object the number of its type in `types`; empty where a format tells none (Go)."""
    types: tuple[str, ...] = ()

    @property
    def objects(self) -> int:
        """How many objects there are."""
        return len(self.address)

    @property
    def edges(self) -> int:
        """How many pointer slots of objects point into the heap."""
        return len(self.target)

    def targets(self, i: int) -> array[int]:
        """The objects that the slots of object `i` point into, with repetitions."""
        return self.target[self.first[i] : self.first[i + 1]]

    def root_objects(self) -> Iterator[int]:
        """Every object that a root names, with repetitions; a finalizer's referents and closure among them."""
        yield from self.roots.target
        for i, closure in zip(self.finalizers.object, self.finalizers.closure, strict=True):
            yield from self.targets(i)
            if closure != NONE:
                yield closure


def typed(keys: Iterable[int], name: Callable[[int], str]) -> tuple[array[int], tuple[str, ...]]:
    """The columns `type` and `types` for objects whose types have these keys; keys of one name are one type."""
    numbers: dict[int, int] = {}
    names: dict[str, int] = {}
    of = array("I")
    for key in keys:
        number = numbers.get(key)
        if number is None:
            number = numbers[key] = names.setdefault(name(key), len(names))
        of.append(number)
    return of, tuple(names)


def broken(graph: Graph) -> str | None:
    """The first rule of the module's text that `graph` breaks, or None: for tests, fuzzers and careful loaders."""
    return _broken_objects(graph) or _broken_areas(graph) or _broken_finalizers(graph)


def _broken_objects(graph: Graph) -> str | None:
    n = graph.objects
    if len(graph.size) != n or len(graph.first) != n + 1 or len(graph.digest) not in (0, n):
        return "the object columns differ in length"
    if len(graph.type) not in (0, n) or any(i >= len(graph.types) for i in graph.type):
        return "an object's type has no name"
    return _broken_slots(graph, graph.first, graph.size, (graph.offset, graph.target, graph.interior), "object")


def _broken_areas(graph: Graph) -> str | None:
    roots = graph.roots
    n = len(roots)
    if not len(roots.group) == len(roots.size) == len(roots.name) == n or len(roots.first) != n + 1:
        return "the area columns differ in length"
    groups = [group for group, _ in roots.stacks()]
    if len(set(groups)) != len(groups):
        return "the frames of a goroutine are not consecutive"
    return _broken_slots(graph, roots.first, roots.size, (roots.offset, roots.target, roots.interior), "area")


def _broken_slots(
    graph: Graph, first: array[int], sizes: array[int], columns: tuple[array[int], array[int], array[int]], what: str
) -> str | None:
    offset, target, interior = columns
    if first[0] != 0 or first[-1] != len(target) or not len(offset) == len(target) == len(interior):
        return f"the slot columns of the {what}s differ in length"
    n = graph.objects
    for i, size in enumerate(sizes):
        if first[i] > first[i + 1]:
            return f"{what} {i}: its slots end before they begin"
        free = 0
        for k in range(first[i], first[i + 1]):
            if offset[k] % WORD or offset[k] < free:
                return f"{what} {i}: slot offset {offset[k]} is not ascending in words"
            free = offset[k] + WORD
            if target[k] >= n or interior[k] >= graph.size[target[k]]:
                return f"{what} {i}: the slot at {offset[k]} points at no object"
        if free > size:
            return f"{what} {i}: its slots need {free} bytes of {size}"
    return None


def _broken_finalizers(graph: Graph) -> str | None:
    table = graph.finalizers
    if not len(table.object) == len(table.offset) == len(table.closure) == len(table.interior):
        return "the finalizer columns differ in length"
    for i, offset, closure, interior in zip(table.object, table.offset, table.closure, table.interior, strict=True):
        if i >= graph.objects or offset >= graph.size[i]:
            return "a finalizer is set on no object"
        if closure != NONE and (closure >= graph.objects or interior >= graph.size[closure]):
            return "a finalizer's closure is no object"
    return None
