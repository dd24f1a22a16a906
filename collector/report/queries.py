"""What can be asked of a log.  Every question gives headings and rows; `collector.commands.inspect` prints them.

A question reads the tables of `collector.report.logfile`, within the filters that the user gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbuf.entry import decode


if TYPE_CHECKING:
    from collector.report.logfile import Logfile

Answer = tuple[tuple[str, ...], list[tuple[Any, ...]]]
US, MS = 1_000, 1_000_000
MOST = 200
"""Rows of a listing, unless more are asked for."""


@dataclass(frozen=True)
class Filters:
    """Which events count; None leaves a filter out."""

    since: int | None = None
    """ns on the log's clock."""
    until: int | None = None
    m: str | None = None
    wbuf: str | None = None
    entry: int | None = None
    most: int = MOST

    def where(self) -> tuple[str, list[Any]]:
        """A SQL condition on `events` and its parameters."""
        parts, values = ["1"], []
        for text, value in (
            ("t >= ?", self.since),
            ("t <= ?", self.until),
            ("m = ?", self.m),
            ("wbuf = ?", self.wbuf),
            ("entry = ?", self.entry),
        ):
            if value is not None:
                parts.append(text)
                values.append(value)
        return " AND ".join(parts), values


def duration(ns: int | None) -> str:
    """A time for people: us, ms or s, three or four digits."""
    if ns is None:
        return "?"
    for unit, name in ((1_000_000_000, "s"), (MS, "ms"), (US, "us")):
        if ns >= unit:
            return f"{ns / unit:.4g} {name}"
    return f"{ns} ns"


def summary(log: Logfile, filters: Filters) -> Answer:
    """What the log holds, in a few lines."""
    where, values = filters.where()
    events, first, last = log.db.execute(
        f"SELECT COUNT(*), MIN(t), MAX(t) FROM events WHERE {where}", values
    ).fetchone()
    (gets,) = log.db.execute(f"SELECT COUNT(*) FROM events WHERE event = 'get' AND {where}", values).fetchone()
    (buffers,) = log.db.execute(f"SELECT COUNT(DISTINCT wbuf) FROM events WHERE {where}", values).fetchone()
    (cycles,) = log.db.execute("SELECT COUNT(*) FROM cycles").fetchone()
    (moved,) = log.db.execute(MIGRATIONS).fetchone()
    kinds = log.db.execute(
        f"SELECT event, COUNT(*) FROM events WHERE {where} GROUP BY event ORDER BY 2 DESC",
        values,
    )
    rows: list[tuple[Any, ...]] = [
        ("run", f"{log.header.get('command', '?')}"),
        ("interpreter", f"{log.header.get('python', '?')}, seed {log.header.get('seed', '?')}"),
        ("threads", ", ".join(log.header["threads"])),
        ("events", f"{events} in {duration((last or 0) - (first or 0))}, {log.dropped} more fell out of the rings"),
        ("cycles", cycles),
        ("buffers", f"{buffers} named, {gets} gets, {moved} of them of a buffer that another M had last"),
        ("by kind", ", ".join(f"{kind} {count}" for kind, count in kinds)),
        ("ended", log.failure["text"].splitlines()[-1] if log.failure else "without a violation"),
    ]
    return ("", ""), rows


MIGRATIONS = """
SELECT COUNT(*) FROM (SELECT m, LAG(m) OVER (PARTITION BY wbuf ORDER BY COALESCE(began, ended)) AS before FROM holds)
WHERE before IS NOT NULL AND before <> m
"""


def listing(log: Logfile, filters: Filters, extra: str = "1", *values: Any) -> Answer:  # noqa: ANN401  SQL values
    """Events one by one."""
    where, given = filters.where()
    rows = log.db.execute(
        f"SELECT t, m, cycle, event, wbuf, entry, site, list, more FROM events WHERE {where} AND {extra}"
        " ORDER BY t, id LIMIT ?",
        [*given, *values, filters.most],
    )
    return ("time", "m", "cycle", "event", "buffer", "what"), [
        (
            duration(t),
            m,
            cycle,
            event,
            wbuf or "",
            ", ".join(part for part in (site, f"list {place}" if place else "", fields(more)) if part),
        )
        for t, m, cycle, event, wbuf, entry, site, place, more in rows
    ]


def fields(more: str | None) -> str:
    """The rest of an event's fields, as they were written, without JSON's marks."""
    return (more or "").strip("{}").replace('"', "")


def wbuf(log: Logfile, filters: Filters, name: str) -> Answer:
    """A buffer's life: who had it, from when to when, how it came and went."""
    rows = log.db.execute(
        "SELECT began, ended, m, got, put FROM holds WHERE wbuf = ? ORDER BY COALESCE(began, ended) LIMIT ?",
        [buffername(name), filters.most],
    )
    return ("from", "for", "m", "came by", "went by"), [
        (
            duration(began),
            duration(ended - began) if began is not None and ended is not None else "?",
            m,
            decode(got) if got is not None else "before the log, or a harvest",
            decode(put) if put is not None else "still held, or harvested",
        )
        for began, ended, m, got, put in rows
    ]


def buffername(name: str) -> str:
    """`17` and `wbuf17` are the same buffer."""
    return f"wbuf{name}" if name.isdigit() else name


def threadname(log: Logfile, name: str) -> str | None:
    """A thread by its name or its number; None if there is none."""
    threads: list[str] = log.header["threads"]
    if name.isdigit() and int(name) < len(threads):
        return threads[int(name)]
    return name if name in threads else None


def cycle(log: Logfile, filters: Filters, number: int) -> Answer:
    """One cycle: phases, stops, who worked, what was handed over."""
    return listing(
        log,
        filters,
        "cycle = ? AND event IN ('cycle', 'phase', 'stop', 'stopped', 'start', 'handoff', 'harvested', 'assist_end',"
        " 'help_end', 'drain_end', 'reached', 'cycle_end')",
        number,
    )


def contention(log: Logfile, filters: Filters) -> Answer:
    """Where threads met: gets of a buffer that another M had last, by list; waits in the barrier; handoffs."""
    sql = """
    SELECT e.list, COUNT(*) AS gets, SUM(h.before IS NOT NULL AND h.before <> e.m) AS migrated
    FROM events e JOIN (SELECT wbuf, m, began, LAG(m) OVER (PARTITION BY wbuf ORDER BY COALESCE(began, ended)) AS before
                        FROM holds) h
      ON h.wbuf = e.wbuf AND h.began = e.t
    WHERE e.event = 'get' GROUP BY e.list ORDER BY 2 DESC
    """
    rows = [
        (f"gets from {place}", gets, f"{migrated} of a buffer that another M had last")
        for place, gets, migrated in log.db.execute(sql)
    ]
    where, values = filters.where()
    for event, text in (
        ("wait", "waits in getfull"),
        ("resume", "of them woken by work"),
        ("handoff", "handoffs"),
        ("assist", "assists"),
        ("park", "parks"),
    ):
        (count,) = log.db.execute(
            f"SELECT COUNT(*) FROM events WHERE event = ? AND {where}", [event, *values]
        ).fetchone()
        rows.append((text, count, ""))
    return ("", "count", ""), rows


def whoheld(log: Logfile, filters: Filters, least: int) -> Answer:
    """Buffers that stayed in a hand or a cache for at least `least` ns, longest first."""
    rows = log.db.execute(
        "SELECT ended - began, began, wbuf, m, got, put FROM holds WHERE ended - began >= ? AND (? IS NULL OR m = ?) "
        "ORDER BY 1 DESC LIMIT ?",
        [least, filters.m, filters.m, filters.most],
    )
    return ("held for", "from", "buffer", "m", "came by", "went by"), [
        (
            duration(held),
            duration(began),
            name,
            m,
            decode(got) if got is not None else "?",
            decode(put) if put is not None else "?",
        )
        for held, began, name, m, got, put in rows
    ]


def violations(log: Logfile, filters: Filters) -> Answer:
    """What failed, and the last events before it."""
    if not log.failure:
        return ("",), [("no violation in this log",)]
    rows: list[tuple[Any, ...]] = [
        ("", "", "", log.failure.get("error", ""), "", line) for line in log.failure["text"].splitlines()
    ]
    (last,) = log.db.execute("SELECT MAX(id) FROM events").fetchone()
    head, events = listing(log, filters, "id > ?", (last or 0) - 30)
    return head, rows + events
