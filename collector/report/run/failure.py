"""What a failed run prints: the text, where it was raised, the buffer's history and holders, the seed, the command.

Theory of operation.  The words are Go's where a throw has them.  The buffer's own history has four entries; the rings
know more: every event that named the buffer, with the thread and the time before the end.  Where a violation was found
says nothing, as an audit always looks from the same place; where a throw or a worker's own error came from does.
"""

from __future__ import annotations

from traceback import format_tb
from typing import TYPE_CHECKING

from collector.audit.buffers import history
from collector.audit.violation import Violation
from workbuf.entry import decode
from workbuf.events import FIELDS, LIST_NAMES, Event
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbuf.machine import Words
    from workbuf.recorder import Record

LAST = 16
"""Events shown."""
FRAMES = 6
"""Calls shown, the innermost last."""
BUFFER_EVENTS = {kind for kind, fields in FIELDS.items() if fields.a == "buffer"}


def sentence(record: Record, thread: str, end: int) -> str:
    """One event for people; `end` is the time from which it is counted back."""
    kind = Event(record.kind)
    values = []
    for name, value in zip(FIELDS[kind], (record.a, record.b, record.c), strict=True):
        if name == "buffer":
            values.append(f"buffer {value * 8:#x}")
        elif name == "entry":
            values.append(str(decode(value)))
        elif name == "list":
            values.append(f"list {LIST_NAMES[value]}")
        elif name:
            values.append(f"{name} {value}")
    return f"  {(record.time - end) / 1000:12.1f} us  {thread:12} {kind.name.lower():10} {', '.join(values)}"


def lasteventsof(records: Sequence[Record], threads: Sequence[str], buffer: int) -> Iterator[str]:
    """The last of `records` that named `buffer`, or the last of all if it is 0, oldest first."""
    if buffer:
        records = [record for record in records if record.kind in BUFFER_EVENTS and record.a == buffer]
    if records:
        end = records[-1].time
        for record in records[-LAST:]:
            yield sentence(record, threads[record.thread], end)


def failure(
    error: BaseException, records: Sequence[Record], threads: Sequence[str], words: Words, command: str, seed: int
) -> str:
    """The whole report; `records` are the last events, by time, `threads` the names of the threads by number."""
    lines = [str(error) if isinstance(error, Throw) else f"{type(error).__name__}: {error}"]
    if not isinstance(error, Violation):
        lines += [line.rstrip() for line in format_tb(error.__traceback__)[-FRAMES:]]
    buffer = error.buffer if isinstance(error, Throw) else 0
    if buffer:
        lines += ["", "the buffer's own history, newest first:", *history(words, buffer)]
    events = list(lasteventsof(records, threads, buffer))
    if events:
        what = f"what happened to buffer {buffer * 8:#x}" if buffer else "what happened last"
        lines += ["", f"{what}, by the flight recorder (us before the end):", *events]
    lines += ["", f"seed {seed}; run it again with: {command}"]
    return "\n".join(lines)
