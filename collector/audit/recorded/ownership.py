"""I1 in the recorded events: at every moment a buffer is in one hand, in one cache or on one list.

A put is recorded before its push and a get after its pop, what goes into a cache before the exchange and what comes out
after it.  So by the clock the changes of one buffer follow each other exactly, whichever threads make them.  What comes out
of a hand must have been in it, what comes off a list must have been put there, and a buffer that nobody has made is none.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from workbuf.counted import counted
from workbuf.entry import UNIT
from workbuf.events import LIST_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.audit.recorded.happened import Handlers

HAND, CACHE, LIST = 0, 1, 2
CONSUMERS = (504, 545, 1228)
"""Entries of those that get work: they hold no buffer then."""
Place = tuple[int, int]
"""HAND or CACHE and the thread, or LIST and which."""


class Ownership(Judge):
    """Follows every buffer from place to place.  `threads` are their names, by number; one that has none is said by that."""

    rule = "ownership"

    def __init__(self, threads: Sequence[str], *, whole: bool) -> None:
        super().__init__(whole=whole)
        self.threads = threads
        self.place: dict[int | str, Place] = {}
        self.held: defaultdict[int, set[int | str]] = defaultdict(set)
        """What is in each thread's hand; most often nothing or one buffer."""
        self.cached: dict[int, int | str] = {}
        """What is in each M's cache."""

    def handlers(self) -> Handlers:
        return {
            Event.NEW: self.new,
            Event.GET: self.get,
            Event.PUT: self.put,
            Event.CACHED: self.intocache,
            Event.UNCACHED: self.outofcache,
            Event.HARVESTED: self.harvested,
            Event.HANDOFF: self.handoff,
            Event.DRAIN: self.drain,
            Event.DRAIN_END: self.emptyhanded,
            Event.ASSIST: self.emptyhanded,
            Event.ASSIST_END: self.emptyhanded,
            Event.HELP: self.emptyhanded,
            Event.HELP_END: self.emptyhanded,
        }

    def new(self, event: Happened, _: Happened | None) -> None:
        """A buffer that was none so far."""
        if event.a in self.place:
            self.find(event, f"{event.a} is made, and was {self.said(self.place[event.a])}")
        self._move(event.a, (HAND, event.thread))

    def get(self, event: Happened, before: Happened | None) -> None:
        """Off the list that the event names, or one that was made just now."""
        b, here = event.a, (HAND, event.thread)
        was = self.place.get(b)
        if was != (LIST, event.c) and not (was == here and before and before.kind == Event.NEW and before.a == b):
            self._wrong(event, f"is got off {LIST_NAMES.get(event.c, event.c)}", was)
        if event.b in CONSUMERS and self.held[event.thread]:
            self.find(event, f"{b} is got to work on, with {next(iter(self.held[event.thread]))} in the hand already")
        self._move(b, here)

    def put(self, event: Happened, _: Happened | None) -> None:
        """Out of the thread's hand, onto a list."""
        was = self.place.get(event.a)
        if was != (HAND, event.thread):
            self._wrong(event, f"is put on {LIST_NAMES.get(event.c, event.c)}", was)
        self._move(event.a, (LIST, event.c))
        if event.b % UNIT == 670 and self.held[event.thread]:
            self.find(event, f"a root job is over, with {next(iter(self.held[event.thread]))} still in the hand")

    def intocache(self, event: Happened, _: Happened | None) -> None:
        """Out of the thread's hand, into its M's cache, which is empty."""
        was = self.place.get(event.a)
        if was != (HAND, event.thread):
            self._wrong(event, "goes into a cache", was)
        if event.thread in self.cached:
            self.find(event, f"{event.a} goes into a cache that holds {self.cached[event.thread]}")
        self._move(event.a, (CACHE, event.thread))

    def outofcache(self, event: Happened, _: Happened | None) -> None:
        """Out of the M's own cache."""
        was = self.place.get(event.a)
        if was != (CACHE, event.thread):
            self._wrong(event, "is taken out of a cache", was)
        if self.held[event.thread]:
            self.find(event, f"{event.a} is taken out of a cache, with another buffer in the hand")
        self._move(event.a, (HAND, event.thread))

    def harvested(self, event: Happened, _: Happened | None) -> None:
        """Out of the cache of the M that the event names."""
        was = self.place.get(event.a)
        if was != (CACHE, event.b):
            self._wrong(event, f"is harvested from {self.name(event.b)}'s cache", was)
        self._move(event.a, (HAND, event.thread))

    def handoff(self, event: Happened, _: Happened | None) -> None:
        """Half of a buffer in the thread's hand goes into another one: the newer half, rounded down."""
        was = self.place.get(event.a)
        if was != (HAND, event.thread):
            self._wrong(event, "is handed on", was)
        if event.c != (event.b + event.c) // 2:
            self.find(event, f"{event.a}: {event.b} entries stay and {event.c} move: those are no halves")

    def drain(self, event: Happened, _: Happened | None) -> None:
        """Who begins to drain has a buffer in its hand, and no other."""
        if len(self.held[event.thread]) != 1 and self.whole:
            self.find(event, f"drains, with {counted(len(self.held[event.thread]), 'buffer')} in its hand")

    def emptyhanded(self, event: Happened, _: Happened | None) -> None:
        """Who has drained, begins to assist or to help, or has done so, has none."""
        if self.held[event.thread]:
            self.find(event, f"{event.kind.name.lower()}, with {next(iter(self.held[event.thread]))} in its hand")

    def _wrong(self, event: Happened, does: str, was: Place | None) -> None:
        if was is not None or self.whole:
            self.find(event, f"{event.a} {does}, and was {self.said(was)}")

    def _move(self, b: int | str, to: Place) -> None:
        was = self.place.get(b)
        if was is not None:
            if was[0] == HAND:
                self.held[was[1]].discard(b)
            elif was[0] == CACHE and self.cached.get(was[1]) == b:
                del self.cached[was[1]]
        self.place[b] = to
        if to[0] == HAND:
            self.held[to[1]].add(b)
        elif to[0] == CACHE:
            self.cached[to[1]] = b

    def said(self, place: Place | None) -> str:
        """A place in words."""
        if place is None:
            return "never made"
        kind, who = place
        return f"on {LIST_NAMES.get(who, who)}" if kind == LIST else f"in {self.name(who)}'s {('hand', 'cache')[kind]}"

    def name(self, thread: int) -> str:
        """A thread's name; that of its M is the same."""
        return self.threads[thread] if 0 <= thread < len(self.threads) else f"thread {thread}"
