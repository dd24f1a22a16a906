"""The figures of a log, to be put beside those of another: pauses, stopped share, contention, list operations.

A pause is the whole stop of the world, from the request to the start, with the audits that a stress run makes in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.report.log.queries import duration, migrated


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.report.log.database import Logfile
    from collector.report.log.queries import Filters

PERCENTILES = (50, 90, 99, 100)


@dataclass(frozen=True)
class Figure:
    """One number of a log."""

    name: str
    value: float | None
    """None: there is nothing that it could be a number of."""
    unit: str = ""
    """ns, % or nothing: a count."""

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        if self.unit == "ns":
            return duration(int(self.value))
        return f"{self.value:.1f} %" if self.unit else f"{self.value:g}"


def figures(log: Logfile, filters: Filters) -> list[Figure]:
    """The figures of a log, within the filters; the same names in the same order for every log.  None if no event is."""
    where, values = filters.where()
    counts = dict(log.db.execute(f"SELECT event, COUNT(*) FROM events WHERE {where} GROUP BY event", values).fetchall())
    begin, end = log.db.execute(f"SELECT MIN(t), MAX(t) FROM events WHERE {where}", values).fetchone()
    if begin is None:
        return []
    time = end - begin
    stops = pauses(log, filters)
    lists = {place: (gets, moved) for place, gets, moved in migrated(log, filters)}
    gets, moved = (sum(column) for column in zip(*lists.values(), strict=True)) if lists else (0, 0)
    return [
        Figure("time", time, "ns"),
        Figure("cycles", counts.get("cycle_end", 0)),
        Figure("pauses, audits included", len(stops)),
        *(Figure(f"pause, {name(share)}", percentile(stops, share), "ns") for share in PERCENTILES),
        Figure("stopped", 100 * sum(stops) / time if time else None, "%"),
        *(Figure(f"gets from {place}", lists.get(place, (0, 0))[0]) for place in ("empty", "partial", "full")),
        Figure("of a buffer that another M had", 100 * moved / gets if gets else None, "%"),
        Figure("waits in getfull", counts.get("wait", 0)),
        Figure("handoffs", counts.get("handoff", 0)),
        Figure("steals of root jobs", counts.get("steal", 0)),
        Figure("assists", counts.get("assist", 0)),
        Figure("buffers made", counts.get("new", 0)),
    ]


def pauses(log: Logfile, filters: Filters) -> list[int]:
    """How long each stop of the world took, in ns, from the request to the start, shortest first."""
    where, values = filters.where()
    found: list[int] = []
    stopped: int | None = None
    for t, event in log.db.execute(
        f"SELECT t, event FROM events WHERE event IN ('stop', 'start') AND {where} ORDER BY t, id",
        values,
    ):
        if event == "stop":
            stopped = t
        elif stopped is not None:
            found.append(t - stopped)
            stopped = None
    return sorted(found)


def percentile(ordered: Sequence[int], share: int) -> int | None:
    """The least value that `share` percent of the values do not exceed (nearest rank)."""
    return ordered[max(-(-len(ordered) * share // 100) - 1, 0)] if ordered else None


def name(share: int) -> str:
    """What a percentile is called."""
    return {50: "median", 100: "longest"}.get(share, f"{share} %")


def change(one: Figure, other: Figure) -> str:
    """The second as a multiple of the first."""
    return f"x {other.value / one.value:.2f}" if one.value and other.value is not None else ""
