"""Serializes a graph of Python objects canonically: graphs of the same shape and values give the same list.

Scalars are written by value.  Every other object gets a number when it is first met, is written once, in the order of the
numbers, and is referred to by its number elsewhere.  So shared objects and cycles are distinguished from copies.  The list
is made of what `marshal` can write: version 2, because later ones also encode which objects are referred to more than once.

What cannot be looked into is *opaque*: named, and the list then stands for nothing.  So is all that comes after MOST.

`collector.explore.state.objects` says what there is to be written about each type.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any

from collector.explore.machine.address import Address
from collector.explore.state.interpreter import NULL


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Object = Any
    """An object of the type that somebody is for."""
    Writer = Callable[["Walk", Object], None]


SCALARS = frozenset({int, str, bytes, float, bool, complex, type(None)})
MOST = 200_000
"""Values that one walk writes; walking them takes half a second."""
EMPTY = StopIteration
"""Stands for nothing, an unbound variable for instance; marshal can write it."""


class Walk:
    """One walk.  `out` is what it has written."""

    def __init__(
        self, writer: Callable[[type], Writer], labels: Mapping[int, Writer], after: Walk | None = None
    ) -> None:
        """`writer(type)` writes objects of that type; `labels` has writers of single objects, by their ids.

        What the walk `after` which this one comes has met keeps its number.
        """
        self.writer = writer
        self.labels = labels
        self.out: list[object] = []
        self.numbers: dict[int, int] = dict(after.numbers) if after else {}
        """Of the objects met, by their ids."""
        self.queue: list[object] = after.queue[:] if after else []
        """The objects met, in order; which also keeps them alive, and their ids their own."""
        self.done = len(self.queue)
        """Of these, how many are written down."""
        self.opaque: list[str] = []
        """What could not be looked into."""
        self.too_large = False
        """There was more than MOST values to write."""

    def put(self, values: Iterable[object]) -> None:
        """Write values: scalars themselves, numbers for everything else."""
        out, numbers, queue = self.out, self.numbers, self.queue
        for v in values:
            if type(v) in SCALARS:
                out.append(v)
            elif v is NULL:
                out.append(EMPTY)
            elif type(v) is Address:
                out.append(int(v))
            else:
                number = numbers.get(id(v))
                if number is None:
                    number = numbers[id(v)] = len(queue)
                    queue.append(v)
                out += (..., number)

    def dictionary(self, v: object, attributes: dict[str, object]) -> None:
        """Those attributes are written as a part of `v`, which others may know by `vars`."""
        number = self.numbers.setdefault(id(attributes), ~self.numbers[id(v)])
        if number >= 0:
            self.out += ("vars", number)

    def drain(self) -> None:
        """Write down the objects met so far, and those met on the way."""
        queue, labels, writer, out = self.queue, self.labels, self.writer, self.out
        while self.done < len(queue):
            v = queue[self.done]
            self.done += 1
            label = labels.get(id(v))
            if label is None:
                kind = type(v)
                label = writer(kind)
            label(self, v)
            if len(out) > MOST:
                self._stop()
        out.append(EMPTY)

    def _stop(self) -> None:
        """Forget the objects that are still to be written down."""
        self.too_large = True
        self.hidden(f"more than {MOST:,} values")
        del self.queue[self.done :]
        self.numbers = {id(v): number for number, v in enumerate(self.queue)}

    def hidden(self, what: str, _behind: Iterable[object] | None = None, /) -> None:
        """Something of that description cannot be looked into; it may hold those objects behind it (None: nobody knows)."""
        self.out.append(what)
        if what not in self.opaque:
            self.opaque.append(what)

    def written(self) -> bytes:
        """What there is, as bytes."""
        return marshal.dumps(self.out, 2)
