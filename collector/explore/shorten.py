"""Long stories made short: of a trace, the part that a reader needs.

Theory of operation.  A livelock's trace is the way into the circle and once round it.  Of what is still too long to read,
the beginning and the end stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.fair import Lasso
    from collector.explore.trace import Row

    Story = list[Row | str]
    """Lines of a trace; a string says what was left out between them."""


MOST = 400
"""Lines of a part that are shown in full."""


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
        if at < lasso.first:
            into.append(row)
        elif lasso.begin <= at < lasso.end:
            once.append(row)
    but = ", but for what counts" if lasso.counting else ""
    return [*middle_left_out(into), f"      -- and from here on, for ever{but}:", *middle_left_out(once)]


def middle_left_out(rows: Sequence[Row]) -> Story:
    """`rows`, or their beginning and end."""
    if len(rows) <= MOST:
        return list(rows)
    half = MOST // 2
    return [*rows[:half], f"      -- {len(rows) - MOST} lines left out --", *rows[-half:]]
