"""I5 in the recorded events: whoever is to stop stops, with empty hands, and stands until the world starts.

Theory of operation.  An M that gives its P up is recorded just after, as parked; one in a system call or blocked has none to
give up.  So from the moment the world counts as stopped to its start, an M with a goroutine sends at most the event that it
is parked, and if it was neither in a call nor blocked nor parked before, that is its next event, sooner or later.  The
start is recorded before the first M is woken.  Ms that wait to help are not concerned: they work in the stopped world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from collector.audit.recorded.happened import Handlers
    from collector.audit.recorded.ownership import Ownership

RESTING = (Event.PARK, Event.SYSCALL, Event.BLOCK)


class Stops(Judge):
    """Follows stops and starts.  `helpers` are the threads of Ms without a goroutine, `latest` each thread's last event."""

    rule = "stop"

    def __init__(
        self, ownership: Ownership, helpers: Collection[int], latest: Mapping[int, Happened], *, whole: bool
    ) -> None:
        super().__init__(whole=whole)
        self.ownership = ownership
        self.helpers = helpers
        self.collector = -1
        self.latest = latest
        self.standing = False
        self.topark: set[int] = set()
        """Ms that have given up their P and must be seen to park."""
        self.ran: set[int] = set()
        """Those of the last stop."""
        self.stops = 0

    def handlers(self) -> Handlers:
        return {
            Event.PARK: self.rest,
            Event.SYSCALL: self.rest,
            Event.BLOCK: self.rest,
            Event.STOP: self.stop,
            Event.STOPPED: self.stopped,
            Event.START: self.start,
        }

    def stop(self, event: Happened, _: Happened | None) -> None:
        """The world is to stop."""
        self.collector = event.thread
        if int(event.a) != event.b.bit_count():
            self.find(event, f"waits for {event.a} Ps to stop, and names {event.b.bit_count()}")

    def start(self, event: Happened, _: Happened | None) -> None:
        """It goes on."""
        if not self.standing and self.whole:
            self.find(event, "the world starts, and was not stopped")
        self.standing = False

    def rest(self, event: Happened, _: Happened | None) -> None:
        """An M parks, blocks or enters a system call, and holds nothing."""
        held = self.ownership.held.get(event.thread)
        if held:
            self.find(event, f"{event.kind.name.lower()} with {next(iter(held))} in its hand")

    def watch(self, event: Happened, before: Happened | None) -> None:
        """Any event while the world stands or is to be seen to have stood."""
        kind, thread = event.kind, event.thread
        if thread in self.topark:
            self.topark.discard(thread)
            if kind != Event.PARK:
                self.find(event, f"the world was stopped, and it did not park: {kind.name.lower()}")
        elif (
            before and self.standing and thread != self.collector and thread not in self.helpers and kind != Event.PARK
        ):
            self.find(event, f"runs while the world is stopped: {kind.name.lower()}")

    def stopped(self, event: Happened, _: Happened | None) -> None:
        """It stands: nobody has a buffer in the hand, and who is not at rest already will be seen to park."""
        self.standing = True
        self.ran = set()
        self.stops += 1
        for thread, last in self.latest.items():
            if thread == event.thread or thread in self.helpers:
                continue
            held = self.ownership.held.get(thread)
            if held:
                self.find(
                    event, f"the world is stopped, and {self.ownership.name(thread)} has {next(iter(held))} in its hand"
                )
            if last.kind not in RESTING:
                self.topark.add(thread)
                self.ran.add(thread)
