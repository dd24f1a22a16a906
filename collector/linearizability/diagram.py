"""Draws a history as plain text: a lane per thread, a row per moment.

    time  m0         m1
       0  [ push 1
       2  |          [ pop
       3  ] -> None  |
       5             ] -> 1

`[` is a call, `]` the return with its answer, `|` an operation that runs.  Whatever shares a row overlaps.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from collector.linearizability.history import spell, who


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.linearizability.history import Operation, Thread


WIDEST = 40
"""Characters of one cell; longer ones are cut."""


def lanes(history: Sequence[Operation], rows: int = 40, note: str = "") -> str:
    """Draw the last `rows` moments of `history`, with `note` behind the last of them."""
    moments = sorted({time for operation in history for time in (operation.call, operation.ret) if time is not None})
    shown = moments[-rows:]
    threads = sorted({operation.thread for operation in history}, key=lambda thread: (isinstance(thread, str), thread))
    cells = _cells(history, shown)

    table = [["time", *map(who, threads)]]
    table += [[str(time), *(cells.get((thread, time), "") for thread in threads)] for time in shown]
    waiting = {operation.thread for operation in history if operation.ret is None}
    if waiting:
        table.append(["open", *("..." if thread in waiting else "" for thread in threads)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    lines = ["  ".join([row[0].rjust(widths[0]), *map(str.ljust, row[1:], widths[1:])]).rstrip() for row in table]
    if note and shown:
        lines[len(shown)] += f"  {note}"
    if len(moments) > len(shown):
        lines.insert(1, f"(... {len(moments) - len(shown)} earlier moments)")
    return "\n".join(lines)


def _cells(history: Sequence[Operation], shown: Sequence[int]) -> dict[tuple[Thread, int], str]:
    """What stands in the lane of a thread at a moment that is shown."""
    cells: dict[tuple[Thread, int], str] = {}

    def put(thread: Thread, time: int, text: str) -> None:
        cut = text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."
        cells[thread, time] = " ".join(filter(None, (cells.get((thread, time)), cut)))

    # By call, so that a thread's return stands before its next call where both are at one moment.
    for operation in sorted(history, key=lambda operation: operation.call):
        put(operation.thread, operation.call, f"[ {spell(operation.input)}")
        if operation.ret is not None:
            put(operation.thread, operation.ret, f"] -> {spell(operation.output)}")
    for operation in history:
        end = len(shown) if operation.ret is None else bisect_left(shown, operation.ret)
        for time in shown[bisect_right(shown, operation.call) : end]:
            cells.setdefault((operation.thread, time), "|")
    return cells
