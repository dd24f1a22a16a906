"""The lists in the recorded events: puts and gets of each must be those of a stack that works one operation at a time.

Theory of operation.  A put's push lies between its event and the next one of its thread, a get's pop between the thread's
event before and its own.  A buffer's stay on a list so has a part that is sure, from the latest its push can have been to
the earliest its pop can.  Two things no stack does, whatever the order within these bounds:

* x is pushed, surely after it y, surely before x is popped; and y surely comes out after x: x was under y.
* The list is found empty, by a thread that went on to another list or made a buffer, and all the while one buffer or
  another was surely on it.

Not found.  A cycle of more than two buffers' orders, each pair of which would do; no such log is known that the two rules
and the ownership allow.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from collector.audit.recorded.ownership import CONSUMERS
from workbuf.entry import THROUGH_EMPTY, UNIT
from workbuf.events import EMPTY, FULL, LIST_NAMES, PARTIAL, Event


if TYPE_CHECKING:
    from collector.audit.recorded.happened import Handlers

NEVER = 1 << 80


class Stay:
    """A buffer's time on a list; times bound its push and its pop."""

    __slots__ = ("buffer", "getter", "got", "pop", "push", "put")

    def __init__(self, put: Happened) -> None:
        self.buffer = put.a
        self.getter = -1
        self.put = put.time
        """Before the push; `push` is after it, `pop` before the pop, `got` after it."""
        self.push = self.pop = self.got = NEVER


class ListStacks(Judge):
    """Puts and gets of the three lists."""

    rule = "lists"

    def __init__(self, *, whole: bool, closed: bool) -> None:
        super().__init__(whole=whole)
        self.closed = closed
        """Is every get recorded that there was before the last event?  Else what seems to lie on a list may be gone."""
        self.on: dict[int, dict[int | str, Stay]] = {}
        """What is on each list, the first put first."""
        self.pushing: dict[int, Stay] = {}
        """The put that was a thread's last event."""
        self.over: list[tuple[int, Stay, Happened, list[Stay]]] = []
        """A stay that is over, with what lay above it then: judged when it is known until when that stayed."""
        self.sure: dict[int, list[tuple[int, int]]] = {EMPTY: [], PARTIAL: [], FULL: []}
        self.foundempty: list[tuple[int, int, Happened]] = []
        """A list, since when at the earliest, and the event that says that it was found empty."""

    def handlers(self) -> Handlers:
        return {Event.PUT: self.put, Event.GET: self.get, Event.NEW: self.new, Event.WAIT: self.wait}

    def put(self, event: Happened, _: Happened | None) -> None:
        """A stay begins."""
        stay = Stay(event)
        on = self.on.setdefault(event.c, {})
        on.pop(event.a, None)  # put twice: the ownership's to say
        on[event.a] = stay
        self.pushing[event.thread] = stay

    def next(self, event: Happened) -> None:
        """The next event of a thread whose last was a put: it has pushed."""
        stay = self.pushing.pop(event.thread)
        if stay.push == NEVER:
            stay.push = event.time

    def get(self, event: Happened, before: Happened | None) -> None:
        """A stay ends; and lists that were looked at first were empty."""
        place, entry = event.c, event.b
        since = before.time if before else -NEVER
        on = self.on.get(place)
        stay = on.pop(event.a, None) if on else None
        if stay is not None and on is not None:
            stay.got, stay.getter = event.time, event.thread
            stay.pop = max(since, stay.put)
            stay.push = min(stay.push, event.time)
            if stay.push < stay.pop:
                self.sure[place].append((stay.push, stay.pop))
                above = []
                for other in reversed(on.values()):
                    if other.put <= stay.push:
                        break
                    if other.push < stay.pop:
                        above.append(other)
                if above:
                    self.over.append((place, stay, event, above))
        if place == PARTIAL and entry in CONSUMERS:  # they look at full first
            self.foundempty.append((FULL, since, event))
        elif place == EMPTY and entry - entry % UNIT == THROUGH_EMPTY and before and before.kind != Event.NEW:
            self.foundempty.append((PARTIAL, since, event))

    def new(self, event: Happened, before: Happened | None) -> None:
        """A buffer is made where the empty list has none."""
        if before:
            self.foundempty.append((EMPTY, before.time, event))

    def wait(self, event: Happened, before: Happened | None) -> None:
        """Who begins to wait has found nothing on full and nothing on partial."""
        # A put just before may be that of an empty buffer out of the cache, after the looking.
        if before and not (before.kind == Event.PUT and before.b == 877):
            self.foundempty += [(FULL, before.time, event), (PARTIAL, before.time, event)]

    def finish(self) -> None:
        for place, stay, event, above in self.over:
            for other in above:
                # At one time only what one thread did is in order.
                after = other.pop > event.time or (other.pop == event.time and other.getter == event.thread)
                if after and (self.closed or other.got < NEVER):
                    text = f"{stay.buffer} is got off {LIST_NAMES[place]} from under {other.buffer}"
                    self.find(event, f"{text}, put after it and got later")
                    break
        for place, on in self.on.items() if self.closed else ():
            self.sure.setdefault(place, []).extend((stay.push, NEVER) for stay in on.values() if stay.push < NEVER)
        joined = {place: union(sure) for place, sure in self.sure.items()}
        for place, since, event in self.foundempty:
            begins, ends = joined[place]
            at = bisect_right(begins, since) - 1
            if at >= 0 and ends[at] > event.time:
                self.find(event, f"{LIST_NAMES[place]} was found empty, and all the while was not")


def union(spans: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The times that at least one of the spans covers: their begins and their ends, in order."""
    begins: list[int] = []
    ends: list[int] = []
    for begin, end in sorted(spans):
        if ends and begin < ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            begins.append(begin)
            ends.append(end)
    return begins, ends
