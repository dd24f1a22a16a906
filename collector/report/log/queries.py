"""The queries of the `inspect` command.  Each returns headings and rows.

A question reads the tables of `collector.report.log.database`, within the filters that the user gave.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.report.log.lines import INTERRUPTED, encodable
from workbuf.entry import decode


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.report.log.database import Logfile

Answer = tuple[tuple[str, ...], list[tuple[Any, ...]]]
US, MS = 1_000, 1_000_000
MOST = 200
"""Rows of a listing, unless more are asked for."""
BEFORE = 30
"""Events shown of what came before a violation."""


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
    """Rows to be shown; an answer has one more if there are more."""

    def where(self) -> tuple[str, list[Any]]:
        """A SQL condition on `events` and its parameters."""
        return self._condition("t >= ?", "t <= ?", "entry = ?")

    def holds(self) -> tuple[str, list[Any]]:
        """A SQL condition on `holds`: those that reach into the time, and came or went by the entry."""
        return self._condition("COALESCE(ended, began) >= ?", "COALESCE(began, ended) <= ?", "? IN (got, put)")

    def gets(self) -> tuple[str, list[Any]]:
        """A SQL condition on `holds` that are gets from a list: those that began in the time, by the entry."""
        where, values = self._condition("began >= ?", "began <= ?", "got = ?")
        return f"came IS NOT NULL AND {where}", values

    def _condition(self, since: str, until: str, entry: str) -> tuple[str, list[Any]]:
        parts, values = ["1"], []
        for text, value in (
            (since, self.since),
            (until, self.until),
            ("m = ?", self.m),
            ("wbuf = ?", self.wbuf),
            (entry, self.entry),
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
    about = log.about
    kinds = log.db.execute(
        f"SELECT event, COUNT(*) FROM events WHERE {where} GROUP BY event ORDER BY 2 DESC", values
    ).fetchall()
    events = sum(count for _, count in kinds)
    begin, end = log.db.execute(f"SELECT MIN(t), MAX(t) FROM events WHERE {where}", values).fetchone()
    (buffers,) = log.db.execute(f"SELECT COUNT(DISTINCT wbuf) FROM events WHERE {where}", values).fetchone()
    (cycles,) = log.db.execute("SELECT COUNT(*) FROM cycles").fetchone()
    taken = migrated(log, filters)
    gets, moved = sum(gets for _, gets, _ in taken), sum(moved for _, _, moved in taken)
    rows: list[tuple[Any, ...]] = [
        ("run", f"{about.header.get('command', '?')}"),
        ("interpreter", f"{about.header.get('python', '?')}, seed {about.header.get('seed', '?')}"),
        ("threads", ", ".join(log.threads)),
        (
            "events",
            f"{events} in {duration((end or 0) - (begin or 0))}, {about.dropped} more fell out of the rings",
        ),
        ("cycles", cycles),
        ("buffers", f"{buffers} named, {gets} gets, {moved} of them of a buffer that another M had last"),
        ("by kind", ", ".join(f"{kind} {count}" for kind, count in kinds)),
        ("ended", ending(log)),
    ]
    return ("", ""), rows


def ending(log: Logfile) -> str:
    """How the run ended."""
    about = log.about
    if about.failure and about.failure["error"] == INTERRUPTED:
        return "interrupted, without a violation before that"
    if about.failure:
        return last(about.failure["text"]) or about.failure["error"]
    return "without a violation" if about.ended else "not in this log: the run was killed, or the file is full"


def last(text: str) -> str:
    """The last line of a text."""
    return text.rstrip("\n").rpartition("\n")[2]


def migrated(log: Logfile, filters: Filters) -> list[tuple[str, int, int]]:
    """For each list: its name, the gets from it, and how many of them took a buffer that another M had last."""
    where, values = filters.gets()
    return log.db.execute(
        f"SELECT came, COUNT(*), COALESCE(SUM(before <> m), 0) FROM holds WHERE {where} GROUP BY came ORDER BY 2 DESC",
        values,
    ).fetchall()


def listing(log: Logfile, filters: Filters, extra: str = "1", *values: Any) -> Answer:  # noqa: ANN401  SQL values
    """Events one by one, by time."""
    where, given = filters.where()
    rows = log.db.execute(
        "SELECT t, m, cycle, event, wbuf, site, list, more FROM events LEFT JOIN entries USING (entry)"
        f" WHERE {where} AND {extra} ORDER BY t, id LIMIT ?",
        [*given, *values, filters.most + 1],
    )
    return ("time", "m", "cycle", "event", "buffer", "what"), [
        (
            duration(t),
            m,
            cycle,
            event,
            wbuf or "",
            ", ".join(part for part in (site, f"list {place}" if place else "", fields(more, log.threads)) if part),
        )
        for t, m, cycle, event, wbuf, site, place, more in rows
    ]


def fields(more: str | None, threads: Sequence[str]) -> str:
    """The rest of an event's fields, as they were written, without JSON's marks; a cache's owner by its name."""
    said = (more or "").strip("{}").replace('"', "")
    return re.sub(r"^owner: (\d{1,9})(?=,|$)", lambda found: f"owner: {named(int(found[1]), threads)}", said)


def named(number: int, threads: Sequence[str]) -> str:
    """A thread's name, or its number if it has none."""
    return threads[number] if number < len(threads) else str(number)


def came(got: int | None, began: int | None) -> str:
    """How a buffer came into a hand."""
    if got is None:
        return "not in the log" if began is None else "the harvest"
    return str(decode(got))


LAST = """(SELECT event FROM events AS e WHERE e.wbuf = holds.wbuf AND e.t = COALESCE(
    holds.ended, (SELECT MAX(t) FROM events AS e WHERE e.wbuf = holds.wbuf)) ORDER BY e.id DESC LIMIT 1)"""
"""SQL: the event that ended a hold, or of one that has no end the buffer's last."""


def went(put: int | None, ended: int | None, last: str) -> str:
    """How it left that hand; `last` is LAST."""
    if put is not None:
        return str(decode(put))
    if ended is None:
        return "still in its cache when the log ends" if last == "cached" else "still held when the log ends"
    return "the harvest" if last == "harvested" else "unknown: another get follows, and no put"


def wbuf(log: Logfile, filters: Filters, name: str) -> Answer:
    """A buffer's life: who had it, from when to when, how it came and went."""
    where, values = filters.holds()
    rows = log.db.execute(
        f"SELECT began, ended, m, got, put, {LAST} FROM holds WHERE wbuf = ? AND {where}"
        " ORDER BY COALESCE(began, ended) LIMIT ?",
        [name, *values, filters.most + 1],
    )
    return ("from", "for", "m", "came by", "went by"), [
        (
            duration(began),
            duration(ended - began) if began is not None and ended is not None else "?",
            m,
            came(got, began),
            went(put, ended, last),
        )
        for began, ended, m, got, put, last in rows
    ]


def has(log: Logfile, column: str, value: str | int) -> bool:
    """Is there an event with that value in its column `wbuf` or `cycle`?"""
    if isinstance(value, str) and not encodable(value):
        return False
    return log.db.execute(f"SELECT 1 FROM events WHERE {column} = ? LIMIT 1", [value]).fetchone() is not None


def buffers(log: Logfile) -> str:
    """Which buffers there are, by number: `0 to 286`, or that there are none."""
    first = len("wbuf") + 1
    number = f"CAST(substr(wbuf, {first}) AS INTEGER)"
    return extent(log, number, "WHERE wbuf GLOB 'wbuf[0-9]*'")


def cycles(log: Logfile) -> str:
    """Which cycles there are."""
    return extent(log, "cycle", "")


def extent(log: Logfile, column: str, where: str) -> str:
    """The least value and the greatest."""
    least, most = log.db.execute(f"SELECT MIN({column}), MAX({column}) FROM events {where}").fetchone()
    return "there are none" if least is None else f"{least} to {most}"


def buffername(name: str) -> str:
    """`17` and `wbuf17` are the same buffer."""
    return f"wbuf{name}" if name.isascii() and name.isdigit() else name


def threadname(log: Logfile, name: str) -> str | None:
    """A thread by its name or its number; None if there is none."""
    threads = log.threads
    if re.fullmatch("[0-9]{1,9}", name) and int(name) < len(threads):
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
    """Where threads met: gets of a buffer that another M had last, by list; waits in the barrier; handoffs; stops."""
    rows: list[tuple[Any, ...]] = [
        (f"gets from {place}", gets, f"{moved} of a buffer that another M had last")
        for place, gets, moved in migrated(log, filters)
    ]
    where, values = filters.where()
    counts = dict(log.db.execute(f"SELECT event, COUNT(*) FROM events WHERE {where} GROUP BY event", values).fetchall())
    for event, text in (
        ("wait", "waits in getfull"),
        ("resume", "of them woken by work"),
        ("handoff", "handoffs"),
        ("steal", "steals of root jobs"),
        ("assist", "assists"),
        ("park", "parks"),
    ):
        rows.append((text, counts.get(event, 0), ""))
    for name, times in waitedfor(log, filters):
        rows.append((f"stops that waited for {name}", times, ""))
    return ("", "count", ""), rows


def waitedfor(log: Logfile, filters: Filters) -> list[tuple[str, int]]:
    """For whom the stops of the world had to wait, and how often."""
    where, values = filters.where()
    times: Counter[str] = Counter()
    for (more,) in log.db.execute(f"SELECT more FROM events WHERE event = 'stop' AND {where}", values):
        times.update(map(str, json.loads(more or "{}").get("waitedfor", ())))
    return times.most_common()


def whoheld(log: Logfile, filters: Filters, least: int) -> Answer:
    """Buffers that stayed in a hand or a cache for at least `least` ns, longest first."""
    where, values = filters.holds()
    rows = log.db.execute(
        f"SELECT began, ended, wbuf, m, got, put, {LAST} FROM holds WHERE ended - began >= ? AND {where}"
        " ORDER BY ended - began DESC LIMIT ?",
        [least, *values, filters.most + 1],
    )
    return ("held for", "from", "buffer", "m", "came by", "went by"), [
        (
            duration(ended - began),
            duration(began),
            name,
            m,
            came(got, began),
            went(put, ended, last),
        )
        for began, ended, name, m, got, put, last in rows
    ]


def violations(log: Logfile, filters: Filters) -> Answer:
    """What failed, and the last events before it."""
    failure = log.about.failure
    if not failure or failure["error"] == INTERRUPTED:
        return ("",), [("no violation in this log",)]
    rows: list[tuple[Any, ...]] = [("", "", "", failure["error"], "", line) for line in failure["text"].splitlines()]
    (latest,) = log.db.execute("SELECT MAX(id) FROM events").fetchone()
    head, events = listing(log, filters, "id > ?", (latest or 0) - min(BEFORE, filters.most))
    return head, rows + events
