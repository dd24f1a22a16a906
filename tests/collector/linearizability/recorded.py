"""Makes a history of the three buffer lists from the flight recorder's events: `linearizable(handovers(..), Each(Stack()))`.

Theory of operation.  The protocol sends a put's event before its push and a get's event after its pop (`workbuf.events`).
So a push took effect between its event and its thread's next event, and a pop between its thread's previous event and its
own.  These intervals are wider than the real operations.  So a history that fails is not linearizable, and one that passes
may still not be.  A pop that found nothing sends no event and changes nothing; a new buffer was on no list.

Relied on.  The lists are empty when recording begins, and nothing has fallen out of the rings.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from collector.linearizability.history import Operation
from workbuf.events import LIST_NAMES, Event


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workbuf.recorder import Record


def handovers(records: Iterable[Record]) -> tuple[Operation, ...]:
    """Every push and pop of a buffer: input (list, ("push", buffer)) or (list, ("pop",)), in order of call."""
    threads: dict[int, list[Record]] = {}
    for record in records:
        threads.setdefault(record.thread, []).append(record)
    begin = min((events[0].time for events in threads.values()), default=0)
    operations = [operation for events in threads.values() for operation in _of_thread(events, begin)]
    return tuple(sorted(operations, key=lambda operation: operation.call))


def _of_thread(events: Sequence[Record], begin: int) -> Iterator[Operation]:
    """Those of one thread, whose events these are in order; before the first one it has run since `begin`."""
    for before, event in pairwise([None, *events]):
        if event and event.kind == Event.GET and not (before and before.kind == Event.NEW):
            call = before.time if before else begin
            yield Operation(call, event.time, event.thread, (LIST_NAMES[event.c], ("pop",)), event.a)
    for event, after in pairwise([*events, None]):
        if event and event.kind == Event.PUT:
            ret = after.time if after else None
            yield Operation(event.time, ret, event.thread, (LIST_NAMES[event.c], ("push", event.a)))
