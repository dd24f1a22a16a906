"""Tracks the owner of each buffer through a schedule: the thread that holds it between a get and a put.

It follows the protocol's events: the owner changes with a get, a put, a harvest, and with every move into a cache or out of
it.  A put is announced before the push, and a move into a cache before the exchange, so the buffer stays with its owner
until it appears there; where that list is not drawn, or no cache is, it leaves the owner at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.explore.trace.step import View
from workbuf.events import OF_BUFFERS, Event


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collector.explore.trace.step import Schedule
    from workbuf.events import Happening

TAKEN = (Event.NEW, Event.GET, Event.UNCACHED, Event.HARVESTED)
CACHE = "cache"
"""The kind of a cache's view."""


class Change(NamedTuple):
    """A buffer changes hands: after which step, whose doing, and how."""

    step: int
    thread: int
    event: Happening


class Hands:
    """What is in the hands of each thread; `threads` are their names."""

    def __init__(self, threads: Sequence[str]) -> None:
        self.threads = threads
        self.owner: dict[str, int] = {}
        self.given: dict[str, str] = {}
        """Buffers that are being put, and on which list; CACHE: into a cache."""

    def event(self, thread: int, event: Happening) -> None:
        """Something happened in `thread`."""
        if event.kind not in OF_BUFFERS:
            return
        buffer = str(event.fields["buffer"])
        if event.kind in TAKEN:
            self.owner[buffer] = thread
            self.given.pop(buffer, None)
        elif event.kind == Event.PUT:
            self.given[buffer] = str(event.fields["list"])
        elif event.kind == Event.CACHED:
            self.given[buffer] = CACHE

    def views(self, shown: Mapping[str, View]) -> dict[str, View]:
        """What each thread holds now; `shown` are the lists as they stand."""
        for buffer, place in list(self.given.items()):
            drawn = [view for name, view in shown.items() if place in (name, view.kind)]
            if not drawn or any(buffer in view.nodes for view in drawn):
                del self.given[buffer]
                self.owner.pop(buffer, None)
        return {
            f"held by {name}": View("hands", tuple(buffer for buffer, owner in self.owner.items() if owner == t))
            for t, name in enumerate(self.threads)
        }


def held(schedule: Schedule) -> list[dict[str, View]]:
    """After each step, what each thread holds."""
    hands = Hands(schedule.threads)
    views = []
    for step in schedule.steps:
        for note in step.notes:
            if note.event:
                hands.event(note.thread, note.event)
        views.append(hands.views(step.views))
    return views


def histories(schedule: Schedule) -> dict[str, list[Change]]:
    """Every change of owner, by buffer in order of name.  Of a livelock, not what is the same every time round."""
    found: dict[str, list[Change]] = {}
    for step in schedule.course[0]:
        for note in step.notes:
            if note.event and note.event.kind in OF_BUFFERS:
                change = Change(max(step.number, 0), note.thread, note.event)
                found.setdefault(str(note.event.fields["buffer"]), []).append(change)
    return dict(sorted(found.items()))
