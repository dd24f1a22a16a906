"""I6 in the recorded events: a harvest empties every cache that there is when it begins.

What is in the caches when the world has been stopped and the phase changed must be harvested, from each M's, before the
world starts (the harvest of the mark) or before the collector takes a root job (that of mark termination).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from mutator.phase import GCmark, GCmarktermination
from workbuf.events import Event


if TYPE_CHECKING:
    from collector.audit.recorded.happened import Handlers
    from collector.audit.recorded.ownership import Ownership


class Harvests(Judge):
    """Follows the harvests."""

    rule = "harvest"

    def __init__(self, ownership: Ownership, *, whole: bool) -> None:
        super().__init__(whole=whole)
        self.ownership = ownership
        self.due: dict[int, int | str] = {}
        """What is to be harvested, by the M whose cache holds it."""
        self.collector = -1
        self.harvests = 0
        self.harvesting = False

    def handlers(self) -> Handlers:
        return {
            Event.PHASE: self.begin,
            Event.HARVESTED: self.harvested,
            Event.START: self.end,
            Event.ROOT: self.end,
        }

    def begin(self, event: Happened, _: Happened | None) -> None:
        """A phase that begins with a harvest."""
        if event.a in (GCmark, GCmarktermination):
            self.collector = event.thread
            self.due = dict(self.ownership.cached)
            self.harvests += 1
            self.harvesting = True

    def harvested(self, event: Happened, _: Happened | None) -> None:
        """One cache."""
        if not self.harvesting and self.whole:
            self.find(event, f"{event.a} is harvested, and no harvest is due")
        self.due.pop(event.b, None)

    def end(self, event: Happened, _: Happened | None) -> None:
        """The collector goes on."""
        if event.thread == self.collector:
            for m, b in self.due.items():
                self.find(event, f"the harvest is over, and {b} was left in {self.ownership.name(m)}'s cache")
            self.due = {}
            self.harvesting = False
