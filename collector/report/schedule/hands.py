"""Which buffers are in whose hands: owned by a thread, on no list and in no cache.

Theory of operation.  Followed by the protocol's events.  A put is announced before the push, so a buffer that is given up
stays in its owner's hands until the list it goes to shows it; where that list is not drawn, it leaves them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.events import LIST_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TAKEN = (Event.NEW, Event.GET, Event.UNCACHED, Event.HARVESTED)


class Hands:
    """The hands of all threads, by `names`; `bufname` turns a buffer's cell into its name."""

    def __init__(self, names: Sequence[str], bufname: Callable[[int], str]) -> None:
        self.names = names
        self.bufname = bufname
        self.owner: dict[str, int] = {}
        self.given: dict[str, str] = {}
        """Buffers that are being put, and on which list."""

    def event(self, thread: int, event: Sequence[int]) -> None:
        """Something happened in `thread`."""
        kind, a, _, c = event
        if kind in TAKEN:
            b = self.bufname(a)
            self.owner[b] = thread
            self.given.pop(b, None)
        elif kind == Event.PUT:
            self.given[self.bufname(a)] = LIST_NAMES[c]
        elif kind == Event.CACHED:
            self.owner.pop(self.bufname(a), None)

    def views(self, shown: Mapping[str, str]) -> dict[str, str]:
        """What each thread that ever held a buffer holds now; `shown` are the lists as they stand."""
        for b, place in list(self.given.items()):
            if place not in shown or b in shown[place].split(" -> "):
                del self.given[b]
                self.owner.pop(b, None)
        return {
            f"held by {name}": ", ".join(b for b, owner in self.owner.items() if owner == t) or "-"
            for t, name in enumerate(self.names)
        }
