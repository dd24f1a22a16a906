"""What a run recorded of the three lists, as a history to hold against stacks: `linearizable(handovers(..), Each(Stack()))`.

Theory of operation.  The protocol announces a put before its push and a get after its pop (`workbuf.events`).  So a push
took effect after its event and before its thread's next one, and a pop before its event and after its thread's one
before.  These are the operations' times, by the flight recorder's clock: wider than they really were, so a history that
fails did fail, and one that passes may have been judged too kindly.  A pop that found nothing leaves no event and changes
nothing; a buffer that is new was on no list.

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
