"""Long stories made short: of a trace, the part that a reader needs.

Theory of operation.  A livelock's trace is the way into the circle and once round it; turns of a waiting loop that are the
same on the way are told once.  Of what is still too long to read, the beginning and the end stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.state.fair import Lasso
    from collector.explore.trace.trace import Row

    Story = list[Row | str]
    """Lines of a trace; a string says what was left out between them."""


MOST = 400
"""Lines of a part that are shown in full."""
LONGEST = 12
"""Lines of a turn that is recognised."""
SEVERAL = 3
"""Times that it has to come."""


def shortened(rows: Sequence[Row], lasso: Lasso | None) -> Story:
    """What is worth showing of `rows`."""
    if lasso is None:
        return middle_left_out(rows)
    into: list[Row] = []
    once: list[Row] = []
    at = -1
    for row in rows:
        # What comes between two steps belongs to the one before.
        at = row.at if row.at >= 0 else at
        if at < lasso.begin:
            into.append(row)
        elif lasso.begin <= at < lasso.end:
            once.append(row)
    return [*middle_left_out(folded(into)), "      -- and from here on, for ever:", *middle_left_out(once)]


def folded(rows: Sequence[Row]) -> Story:
    """`rows`, but what comes several times in a row only once."""
    texts = [(row.thread, row.text(), row.views) for row in rows]
    story: Story = []
    at = 0
    while at < len(rows):
        turn, times = 1, 1
        for n in range(1, LONGEST + 1):
            again = 1
            while texts[at : at + n] == texts[at + again * n : at + (again + 1) * n]:
                again += 1
            if again >= SEVERAL:
                turn, times = n, again
                break
        story += rows[at : at + turn]
        if times > 1:
            story.append(f"      -- {'that' if turn == 1 else f'these {turn} lines'} {times - 1} times more --")
        at += turn * times
    return story


def middle_left_out(rows: Sequence[Row | str]) -> Story:
    """`rows`, or their beginning and end."""
    if len(rows) <= MOST:
        return list(rows)
    half = MOST // 2
    return [*rows[:half], f"      -- {len(rows) - MOST} lines left out --", *rows[-half:]]
