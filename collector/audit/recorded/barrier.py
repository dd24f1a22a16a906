"""I10 in the recorded events: nwait counts as an atomic counter does, within its bounds, and its end means what it says.

Theory of operation.  Every increment and decrement of nwait is recorded with the value that it returned; it took place
between the thread's event before and its own.  Some order within these times must lead from 0 through exactly these values.
The search goes through the operations by the times at which they were over and keeps every state that the counter may be in
(Lowe's just-in-time linearization); there are few, because the values leave little choice.

A thread that sees nwait == nproc leaves the barrier: the counter must have been able to stand there.  In mark termination
that is the end of all marking: nothing is on full or partial, in a hand or in a cache, and who still looks finds nothing.
In the concurrent mark the barrier is one thread's and says only that this thread has found nothing (K-4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.audit.recorded.happened import Happened, Judge
from collector.audit.recorded.ownership import CACHE, HAND
from mutator.phase import GCmarktermination
from workbuf.events import EMPTY, Event


if TYPE_CHECKING:
    from collector.audit.recorded.happened import Handlers
    from collector.audit.recorded.ownership import Ownership

MOST = 20_000
"""States of the counter that are followed at once; a round with more is given up."""


class Operation(NamedTuple):
    """Somebody counted, between two times, and found `value` then."""

    since: int
    event: Happened
    delta: int
    value: int


class Barrier(Judge):
    """Judges each round, from the event that opens the barrier to the next one."""

    rule = "barrier"

    def __init__(self, ownership: Ownership, *, whole: bool, closed: bool) -> None:
        super().__init__(whole=whole)
        self.ownership = ownership
        self.closed = closed
        self.opened: Happened | None = None
        self.nproc = 0
        self.phase = -1
        self.operations: list[Operation] = []
        self.left: set[int] = set()
        """Threads that have left the barrier at its end."""
        self.helping: dict[int, int] = {}
        """Helpers that take part, and the number of each."""
        self.rounds = self.undecided = 0

    def handlers(self) -> Handlers:
        return {
            Event.ROOTS: self.open,
            Event.PHASE: self.change,
            Event.HELP: self.help,
            Event.WAIT: self.wait,
            Event.RESUME: self.resume,
            Event.REACHED: self.reached,
        }

    def change(self, event: Happened, _: Happened | None) -> None:
        """The phase."""
        self.phase = int(event.a)

    def open(self, event: Happened, _: Happened | None) -> None:
        """A new round: nobody waits."""
        self._close(over=True)
        self.opened, self.nproc = event, event.b

    def help(self, event: Happened, _: Happened | None) -> None:
        """A helper takes part."""
        if event.thread in self.helping:
            self.find(event, "helps a second time in one mark")
        if self.opened and not 1 <= int(event.a) < self.nproc:
            self.find(event, f"helps as number {event.a}, with nproc {self.nproc}")
        if event.a in self.helping.values():
            self.find(event, f"helps as number {event.a}, as another does")
        self.helping[event.thread] = int(event.a)

    def wait(self, event: Happened, before: Happened | None) -> None:
        """One more waits, its hand and its cache empty."""
        if self.opened and not 1 <= int(event.a) <= self.nproc:
            self.find(event, f"waits, and nwait is {event.a}, with nproc {self.nproc}")
        held = self.ownership.held.get(event.thread)
        if held:
            self.find(event, f"waits with {next(iter(held))} in its hand")
        if event.thread in self.ownership.cached:
            self.find(event, f"waits with {self.ownership.cached[event.thread]} in its cache")
        self._count(event, before, 1, int(event.a))

    def resume(self, event: Happened, before: Happened | None) -> None:
        """One fewer; also when others have left, if it has seen a buffer that one of them took before they did."""
        if self.opened and not 0 <= int(event.a) < self.nproc:
            self.find(event, f"waits no longer, and nwait is {event.a}, with nproc {self.nproc}")
        self._count(event, before, -1, int(event.a))

    def reached(self, event: Happened, before: Happened | None) -> None:
        """All wait: nothing may be left."""
        if event.thread in self.left:
            self.find(event, "sees the end of one mark twice")
        self.left.add(event.thread)
        self._count(event, before, 0, self.nproc)
        if self.phase == GCmarktermination:
            for b, place in self.ownership.place.items():
                if place[0] in (HAND, CACHE) or place[1] != EMPTY:
                    self.find(event, f"the mark is over, and {b} is {self.ownership.said(place)}")
                    break

    def _count(self, event: Happened, before: Happened | None, delta: int, value: int) -> None:
        if self.opened:
            since = max(before.time, self.opened.time) if before else self.opened.time
            self.operations.append(Operation(since, event, delta, value))

    def finish(self) -> None:
        self._close(over=self.closed)

    def _close(self, *, over: bool) -> None:
        """The round is over, or just the recording."""
        if self.opened:
            self.rounds += 1
            wrong, decided = impossible(self.operations)
            if wrong:
                self.find(wrong.event, f"no order of the round's counting leads to nwait {wrong.value} here")
            self.undecided += not decided
            if over and len(self.left) != self.nproc:
                self.find(self.opened, f"nproc is {self.nproc}, and {len(self.left)} threads have seen the mark's end")
            if over and self.nproc > 1 and len(self.helping) != self.nproc - 1:
                self.find(self.opened, f"nproc is {self.nproc}, and {len(self.helping)} helpers have come")
        self.opened = None
        self.operations, self.left, self.helping = [], set(), {}


def impossible(operations: list[Operation]) -> tuple[Operation | None, bool]:
    """The first operation that no order explains, if any; and False if there were too many states to say.

    `operations` are in the order of their events.  A state is the counter's value, and which of those not yet over have
    taken place.
    """
    begun = sorted(range(len(operations)), key=lambda i: operations[i].since)
    states: set[tuple[int, frozenset[int]]] = {(0, frozenset())}
    pending: list[int] = []
    at = 0
    for i, operation in enumerate(operations):
        while at < len(begun) and operations[begun[at]].since < operation.event.time:
            if begun[at] >= i:
                pending.append(begun[at])
            at += 1
        after: set[tuple[int, frozenset[int]]] = set()
        tried = set(states)
        work = list(states)
        while work:
            value, done = work.pop()
            if i in done:
                after.add((value, done - {i}))
                continue
            for j in pending:
                other = operations[j]
                if j not in done and value + other.delta == other.value:
                    state = (other.value, done | {j})
                    if state not in tried:
                        tried.add(state)
                        work.append(state)
            if len(tried) > MOST:
                return None, False
        if not after:
            return operation, True
        states = after
        pending.remove(i)
    return None, True
