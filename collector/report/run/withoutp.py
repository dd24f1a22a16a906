"""A buffer that was taken for a write barrier inside a system call, where no stop of the world waits for its M.  (K-1.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbuf.recorder import Record

TAKES = (Event.GET, Event.NEW, Event.UNCACHED)


def withoutp(b: int, records: Sequence[Record], threads: Sequence[str]) -> list[str]:
    """Sentences about who took buffer `b` last, if that was in a system call; else none.  `records` are by time."""
    took = next((r for r in reversed(records) if r.a == b and r.kind in TAKES), None)
    if took is None:
        return []
    before = [r for r in records if r.time <= took.time]
    end = records[-1].time

    def latest(*kinds: Event, thread: int | None = None) -> Record | None:
        return next((r for r in reversed(before) if r.kind in kinds and thread in {None, r.thread}), None)

    def ago(record: Record) -> str:
        return f"{(end - record.time) / 1000:.1f} us before the end"

    call = latest(Event.SYSCALL, Event.SYSCALL_END, thread=took.thread)
    if call is None or call.kind == Event.SYSCALL_END:
        return []
    lines = [
        f"  {threads[took.thread]} took it for a barrier {ago(took)}, in a system call since {ago(call)}:",
        "  there it has no P, no stop of the world waits for it, and what it queues may come too late (K-1)",
    ]
    stop = latest(Event.STOPPED, Event.START)
    if stop and stop.kind == Event.STOPPED:
        lines.append(f"  the world had been stopped {ago(stop)}")
    harvest = latest(Event.HARVESTED, Event.CYCLE)
    if harvest and harvest.kind == Event.HARVESTED:
        lines.append(f"  the last harvest of a cache was {ago(harvest)}")
    return lines
