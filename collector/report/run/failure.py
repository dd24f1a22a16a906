"""The report of a failed run: the message, its source line, the buffer's history, the last events, seed and command.

The words are Go's where a throw has them.  The buffer's own history has four entries; the rings know more: every event
that named the buffer, with the thread and the time before the end.  The place in the source is shown for a throw and
for a worker's own error; not for a violation, which an audit always raises from the same place.
"""

from __future__ import annotations

from traceback import format_tb
from typing import TYPE_CHECKING

from collector.audit.buffers import history
from collector.audit.violation import Violation
from collector.report.run.withoutp import withoutp
from workbuf.entry import Entry
from workbuf.events import OF_BUFFERS, Event, Reader
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.report.run.lost import Why
    from workbuf.machine import Words
    from workbuf.recorder import Record

LAST = 16
"""Events shown."""
FRAMES = 6
"""Calls shown, the innermost last."""


def sentence(record: Record, reader: Reader, end: int) -> str:
    """One event for people; `end` is the time from which it is counted back."""
    event = reader.read(*record[2:])
    if event.kind == Event.HARVESTED:
        event.fields["owner"] = reader.threads[event.fields["owner"]]
    said = ", ".join(str(v) if isinstance(v, Entry) else f"{name} {v}" for name, v in event.fields.items())
    return f"  {(record.time - end) / 1000:12.1f} us  {reader.threads[record.thread]:12} {event.name:10} {said}"


def lasteventsof(records: Sequence[Record], reader: Reader, buffer: int) -> Iterator[str]:
    """The last of `records` that named `buffer`, or the last of all if it is 0, oldest first."""
    end = records[-1].time if records else 0
    if buffer:
        records = [record for record in records if record.kind in OF_BUFFERS and record.a == buffer]
    for record in records[-LAST:]:
        yield sentence(record, reader, end)


def failure(
    error: BaseException,
    records: Sequence[Record],
    threads: Sequence[str],
    bufname: Callable[[int], str],
    words: Words,
    command: str,
    seed: int,
    why: Why | None = None,
) -> str:
    """The whole report.

    `records` are the last events, by time; `threads` the names of the threads by number; `bufname` gives a buffer's cell the
    name that the log has.  `why` explains the nearest lost object, if one was lost.
    """
    lines = [str(error) if isinstance(error, Throw) else f"{type(error).__name__}: {error}"]
    if not isinstance(error, Violation):
        lines += [line.rstrip() for line in format_tb(error.__traceback__)[-FRAMES:]]
    if why:
        lines += ["", "why the lost object nearest to a root was lost:", *why.lines]
    buffer = error.buffer if isinstance(error, Throw) else 0
    if buffer:
        lines += ["", f"{bufname(buffer)}'s own history, newest first:", *history(words, buffer)]
        outside = withoutp(buffer, records, threads)
        lines += ["why it is not where it should be:", *outside] if outside else []
    events = list(lasteventsof(records, Reader(bufname, threads), buffer))
    if events:
        what = f"what happened to {bufname(buffer)} ({buffer * WORD:#x})" if buffer else "what happened last"
        lines += ["", f"{what}, by the flight recorder (us before the end):", *events]
    lines += ["", f"seed {seed}; run it again with: {command}"]
    return "\n".join(lines)
