"""A log read back: JSON lines into an embedded database.

Tables (all times in ns since the first event):

    threads(number, name)                       the threads of the run, 0 is the collector's
    events(id, t, m, event, cycle, wbuf, entry, site, list, more)
                                                one row an event, by time; `m` a thread, `more` the other fields as JSON
    cycles(cycle, line, objects, reachable, marked, floating, seconds)
                                                one row a finished cycle, with the audit's counts
    holds(wbuf, m, began, ended, got, put)      one row for each time a buffer was in a hand or a cache: `got` and `put` are
                                                the entries it came and went with, NULL where the log does not have that end

Theory of operation.  `holds` is made of the events: a get begins one; a put ends it; a harvest moves the buffer from the
cache's M to the collector, which puts it.  Buffers taken before a ring's oldest event begin nowhere.

Relied on.  The first line is the schema's (report/log.py).  A last line without its end, or that is no JSON, is what a
killed run leaves: it is left out and said.  Anything else that is wrong ends the reading.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from collector.report.log import SCHEMA, VERSION


if TYPE_CHECKING:
    from collections.abc import Iterator


class LogfileError(Exception):
    """The file is no log that can be read: the text says which line and why."""


TABLES = """
CREATE TABLE threads(number INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE events(id INTEGER PRIMARY KEY, t INTEGER, m TEXT, event TEXT, cycle INTEGER, wbuf TEXT, entry INTEGER,
                    site TEXT, list TEXT, more TEXT);
CREATE TABLE cycles(cycle INTEGER PRIMARY KEY, line TEXT, objects INTEGER, reachable INTEGER, marked INTEGER,
                    floating INTEGER, seconds REAL);
CREATE TABLE holds(wbuf TEXT, m TEXT, began INTEGER, ended INTEGER, got INTEGER, put INTEGER);
"""
INDICES = """
CREATE INDEX events_wbuf ON events(wbuf);
CREATE INDEX events_event ON events(event);
CREATE INDEX holds_wbuf ON holds(wbuf);
"""
COLUMNS = ("t", "m", "event", "wbuf", "entry", "site", "list")
BATCH = 10_000


@dataclass
class Logfile:
    """A log in memory: `db` has the tables, `header` is the first line.  Close it by leaving its `with`."""

    path: Path
    header: dict[str, Any]
    db: sqlite3.Connection
    torn: int = 0
    """Number of the last line if it was torn, else 0."""
    failure: dict[str, Any] | None = None
    """The failure that ended the run, if one did."""
    start: int = 0
    """Clock reading that the log's times count from."""
    dropped: int = 0
    """Events that had fallen out of the rings before they could be written."""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: str) -> Logfile:
        """Read the log at `path`; raises LogfileError."""
        where = Path(path)
        if where.is_dir():
            raise LogfileError(f"{path}: a directory, not a log")
        log = cls(where, {}, sqlite3.connect(":memory:"))
        try:
            with where.open(encoding="utf-8") as lines:
                log.header = _header(path, lines.readline())
                log._load(lines)
        except OSError as error:
            log.db.close()
            raise LogfileError(f"{path}: cannot read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            log.db.close()
            raise LogfileError(f"{path}: byte {error.start}: not text; is it a log?") from None
        except LogfileError:
            log.db.close()
            raise
        return log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def _load(self, lines: Iterator[str]) -> None:
        db = self.db
        db.executescript(TABLES)
        db.executemany("INSERT INTO threads VALUES(?, ?)", enumerate(self.header["threads"]))
        rows: list[tuple[Any, ...]] = []
        holds = _Holds(self.header["threads"])
        cycle = 0
        for number, line in enumerate(lines, 2):
            try:
                entry = json.loads(line)
                event = entry["event"]
            except (ValueError, TypeError, KeyError) as error:
                if next(lines, None) is not None:
                    raise LogfileError(f"{self.path}: line {number}: no event of a log ({error})") from None
                self.torn = number
                break
            if not line.endswith("\n"):
                self.torn = number
                break
            if event == "gctrace":
                keys = ("cycle", "line", "objects", "reachable", "marked", "floating", "seconds")
                db.execute("INSERT INTO cycles VALUES(?, ?, ?, ?, ?, ?, ?)", [entry.get(key) for key in keys])
                continue
            if event == "end":
                self.dropped = entry["dropped"]
                continue
            if event == "failure":
                self.failure = entry
                continue
            if not self.start:
                self.start = entry["t"]
            entry["t"] -= self.start
            if event == "cycle":
                cycle = entry["number"]
            holds.see(entry)
            more = {key: value for key, value in entry.items() if key not in COLUMNS}
            head = [entry.get(key) for key in COLUMNS]
            rows.append((*head[:3], cycle, *head[3:], json.dumps(more) if more else None))
            if len(rows) >= BATCH:
                self._insert(rows)
        self._insert(rows)
        db.executemany("INSERT INTO holds VALUES(?, ?, ?, ?, ?, ?)", holds.finish())
        db.executescript(INDICES)

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        self.db.executemany(
            "INSERT INTO events(t, m, event, cycle, wbuf, entry, site, list, more) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        rows.clear()


def _header(path: str, line: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
        schema, version = header["schema"], header["version"]
    except (ValueError, TypeError, KeyError):
        raise LogfileError(
            f'{path}: line 1: no log of this program: {{"schema": "{SCHEMA}", ...}} is expected'
        ) from None
    if schema != SCHEMA or version != VERSION:
        raise LogfileError(
            f"{path}: line 1: a log of {schema} version {version}; this reads {SCHEMA} version {VERSION}"
        )
    if not isinstance(header.get("threads"), list):
        raise LogfileError(f"{path}: line 1: the schema line names no threads")
    return dict(header)


class _Holds:
    """Follows buffers from hand to hand."""

    def __init__(self, threads: list[str]) -> None:
        self.collector = threads[0] if threads else ""
        self.open: dict[str, tuple[str, int | None, int | None]] = {}
        self.rows: list[tuple[str, str, int | None, int | None, int | None, int | None]] = []

    def see(self, entry: dict[str, Any]) -> None:
        """The next event."""
        event, wbuf = entry["event"], entry.get("wbuf")
        if wbuf is None:
            return
        if event == "get":
            self._close(wbuf, entry["t"], None)
            self.open[wbuf] = (entry["m"], entry["t"], entry["entry"])
        elif event == "put":
            if wbuf not in self.open:
                self.open[wbuf] = (entry["m"], None, None)
            self._close(wbuf, entry["t"], entry["entry"])
        elif event == "harvested":
            self._close(wbuf, entry["t"], None)
            self.open[wbuf] = (entry["m"], entry["t"], None)

    def _close(self, wbuf: str, t: int, put: int | None) -> None:
        held = self.open.pop(wbuf, None)
        if held:
            m, began, got = held
            self.rows.append((wbuf, m, began, t, got, put))

    def finish(self) -> list[tuple[str, str, int | None, int | None, int | None, int | None]]:
        """All holds, those still open too."""
        self.rows += [(wbuf, m, began, None, got, None) for wbuf, (m, began, got) in self.open.items()]
        return self.rows
