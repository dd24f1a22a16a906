"""Walks over all that objects reach, also behind what no capture can look into."""

from __future__ import annotations

from collections import defaultdict
from operator import is_
from typing import TYPE_CHECKING, Protocol

from collector.explore.state.walk import Walk


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.explore.state.walk import Writer


class Lossy(Protocol):
    """For whom a walk is made."""

    labels: dict[int, Writer]

    def writer(self, kind: type, /) -> Writer:
        """How to write objects of that type."""

    def lost(self, what: str, /) -> None:
        """Of that nobody can tell what it holds."""


class Reach(Walk):
    """Goes on to what opaque objects hold."""

    def __init__(self, capture: Lossy, after: Walk | None = None) -> None:
        super().__init__(capture.writer, capture.labels, after)
        self.capture = capture

    def hidden(self, what: str, behind: Iterable[object] | None = None, /) -> None:
        super().hidden(what, behind)
        if behind is None:
            self.capture.lost(what)
        else:
            self.put(behind)

    def meet(self, values: Iterable[object]) -> None:
        """To be walked over, too; no object holds these."""
        super().put(values)

    def dictionary(self, v: object, attributes: dict[str, object]) -> None:
        """Where a thread has it, it is an object like others."""


class Stock(Reach):
    """Keeps what each object held."""

    def __init__(self, capture: Lossy) -> None:
        super().__init__(capture)
        self.held: defaultdict[int, list[object]] = defaultdict(list)
        """By the ids of the objects."""
        self.compared: dict[int, bool] = {}
        """The same: does one hold something else, when that was first asked?"""

    def put(self, values: Iterable[object]) -> None:
        values = [*values]
        self.held[id(self.queue[self.done - 1])] += values
        super().put(values)

    def __iter__(self) -> Iterator[object]:
        """All that is met, also meanwhile."""
        at = 0
        while at < len(self.queue):
            if at == self.done:
                self.drain()
            yield self.queue[at]
            at += 1

    def behind(self, v: object) -> list[object]:
        """What `v` held, or holds, if it was not met before."""
        if id(v) not in self.numbers:
            self.meet([v])
            self.drain()
        return self.held[id(v)]

    def changed(self, v: object) -> bool:
        """Does `v` hold something else now that the turn is over?"""
        if id(v) not in self.held:
            return False
        if id(v) not in self.compared:
            self.compared[id(v)] = self._compared(v)
        return self.compared[id(v)]

    def _compared(self, v: object) -> bool:
        was, now = self.held[id(v)], Stock(self.capture)
        now.meet([v])
        now.done = 1
        (self.labels.get(id(v)) or self.writer(type(v)))(now, v)
        held = now.held[id(v)]
        return len(was) != len(held) or not all(map(is_, was, held))
