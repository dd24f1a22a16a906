"""Reads a log's JSON lines into an SQLite database.

Tables (all times in ns since the first event):

    threads(number, name)                       the threads of the run, 0 is the collector's
    events(id, t, m, event, cycle, wbuf, entry, list, more)
                                                one row an event; `m` a thread, `more` the other fields as JSON
    entries(entry, site)                        what the entry numbers say
    cycles(cycle, line, objects, reachable, marked, floating, seconds)
                                                one row a finished cycle, with the audit's counts
    holds(wbuf, m, began, ended, got, put, came, before)
                                                one row for each time a buffer was in a hand or a cache: `got` and `put` are
                                                the entries it came and went with, NULL where the log does not have that end;
                                                `came` is the list it came from, `before` the thread that had it last

`holds` is made from the events: a get begins one; a put ends it; a harvest moves the buffer from the cache's M to the
collector, which puts it.  A buffer taken before a ring's oldest event has no beginning here.

The database of a large log is kept beside it, as `run.log.sqlite`, so that only the first question has to wait.  It holds a
digest of the files it was made from, and is made again when one of these, or the database itself, has changed.

`collector.report.log.parts` finds and checks the lines.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from collector.report.atomicwrite import replacing
from collector.report.log import cachefile
from collector.report.log.lines import LogfileError, noevent, packings
from collector.report.log.parts import Parts


if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LAYOUT = 2
"""Version of the tables: a cached database of another one is made again."""
TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE about(made TEXT);
CREATE TABLE threads(number INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE events(id INTEGER PRIMARY KEY, t INTEGER, m TEXT, event TEXT, cycle INTEGER, wbuf TEXT, entry INTEGER,
                    list TEXT, more TEXT);
CREATE TABLE entries(entry INTEGER PRIMARY KEY, site TEXT);
CREATE TABLE cycles(cycle INTEGER PRIMARY KEY, line TEXT, objects INTEGER, reachable INTEGER, marked INTEGER,
                    floating INTEGER, seconds REAL);
CREATE TABLE holds(wbuf TEXT, m TEXT, began INTEGER, ended INTEGER, got INTEGER, put INTEGER, came TEXT, before TEXT);
"""
INDICES = """
CREATE INDEX events_t ON events(t);
CREATE INDEX events_wbuf ON events(wbuf, t);
CREATE INDEX events_event ON events(event, cycle);
CREATE INDEX holds_wbuf ON holds(wbuf);
CREATE INDEX holds_for ON holds(ended - began);
"""
COLUMNS = ("t", "m", "event", "wbuf", "entry", "list")
UNFIT = (sqlite3.DataError, sqlite3.InterfaceError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
OWN = {*COLUMNS, "site"}
"""Fields with a place of their own; the others are `more`."""
CYCLE = ("cycle", "line", "objects", "reachable", "marked", "floating", "seconds")
KINDS: dict[str, type] = {
    **dict.fromkeys(("t", "entry", "number"), int),
    **dict.fromkeys(("m", "event", "wbuf", "site", "list"), str),
    "waitedfor": list,
}
"""What the fields are that something is made of."""
BATCH = 10_000
KEPT_FROM = 4 << 20
"""Bytes of log from which on its database is cached: a smaller log is read in no time."""


@dataclass
class About:
    """What is known of a log beside its tables."""

    source: list[Any]
    """LAYOUT, and a digest of the files' content."""
    header: dict[str, Any] = field(default_factory=dict)
    """The first line."""
    torn: int = 0
    """Number of the last line if it was torn, else 0."""
    failure: dict[str, Any] | None = None
    """The failure that ended the run, if one did."""
    start: int | None = None
    """Clock reading that the log's times count from."""
    dropped: int = 0
    """Events that had fallen out of the rings before they could be written."""
    missing: list[str] = field(default_factory=list)
    """What of the log is not there, a line each."""
    ended: bool = False
    """Is the last line there?"""


class Logfile:
    """A log: `db` has the tables, `about` the rest.  Close it by leaving its `with`."""

    def __init__(self, db: sqlite3.Connection, about: About, files: list[Path], kept: Path | None) -> None:
        self.db = db
        self.about = about
        self.files = files
        """What it was read from, and where its database may be cached."""
        self.kept = kept
        """Where that has just been done."""

    @classmethod
    def open(cls, path: str) -> Logfile:
        """Read the log at `path`, or its cached database; raises LogfileError."""
        with closing(Parts(path)) as parts:
            about = About([LAYOUT, parts.digest()], parts.header)
            path_kept = parts.path.with_name(f"{parts.path.name}.sqlite")
            files = [*parts.files, *(packed for file in parts.files for packed in packings(file)), path_kept]
            found = reopened(path_kept, about.source)
            if found:
                return cls(*found, files, None)
            if parts.bytes >= KEPT_FROM and cachefile.ours(path_kept) and keep(path_kept, parts, about):
                found = reopened(path_kept, about.source)
                if found:
                    return cls(*found, files, path_kept)
            return cls(load(sqlite3.connect(":memory:"), parts, about), about, files, None)

    @property
    def threads(self) -> list[str]:
        """The threads' names, by number."""
        names: list[str] = self.about.header["threads"]
        return names

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()


def reopened(path: Path, source: list[Any]) -> tuple[sqlite3.Connection, About] | None:
    """The cached database and what it says about the log, if it was made from these files and has not changed since."""
    if not cachefile.intact(path):
        return None
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error:
        return None
    try:
        about = About(**json.loads(db.execute("SELECT made FROM about").fetchone()[0]))
    except (sqlite3.Error, ValueError, TypeError):
        about = About([])
    if about.source != source:
        db.close()
        return None
    return db, about


def keep(path: Path, parts: Parts, about: About) -> bool:
    """Keep the database of a log that does not change meanwhile; False where that cannot be done."""
    scratch = path.with_name(f".{os.getpid()}.part")
    try:
        with replacing(path) as file:
            try:
                made = scratch.open("x+b")
                db = sqlite3.connect(scratch)
            finally:
                # SQLite has it open.  Without a name, nothing is left behind if this process is killed.
                scratch.unlink(missing_ok=True)
            with made:
                load(db, parts, about).close()
                cachefile.copy(made, file)
            cachefile.seal(file.fileno())
            if [LAYOUT, parts.digest()] != about.source:
                raise InterruptedError
    except (OSError, sqlite3.OperationalError):
        return False  # nowhere to keep it, no room, or the log goes on: it is read into memory instead
    return True


def load(db: sqlite3.Connection, parts: Parts, about: About) -> sqlite3.Connection:
    """Fill the tables; returns `db`, which is closed if that fails."""
    try:
        db.executescript(TABLES)
        db.executemany("INSERT INTO threads VALUES(?, ?)", enumerate(parts.header["threads"]))
        _events(db, parts, about)
        db.executescript(INDICES)
        about.torn, about.missing = parts.torn, parts.missing
        db.execute("INSERT INTO about VALUES(?)", [json.dumps(vars(about))])
        db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _events(db: sqlite3.Connection, parts: Parts, about: About) -> None:
    rows: list[tuple[Any, ...]] = []
    holds = _Holds()
    sites: dict[int, str] = {}
    cycle = 0
    at = str(parts.path)
    try:
        for where, entry in parts.entries():
            at = where
            for key in KINDS.keys() & entry.keys():
                if type(entry[key]) is not KINDS[key]:
                    raise TypeError(f"{key!r} is no {KINDS[key].__name__}")  # noqa: TRY301  said below, with the line
            event = entry["event"]
            if event == "gctrace":
                db.execute("INSERT INTO cycles VALUES(?, ?, ?, ?, ?, ?, ?)", [entry.get(key) for key in CYCLE])
                continue
            if event == "end":
                about.dropped, about.ended = int(entry["dropped"]), True
                continue
            if event == "failure":
                about.failure = {"error": str(entry["error"]), "text": str(entry["text"])}
                continue
            if about.start is None:
                about.start = entry["t"]
            entry["t"] -= about.start
            if event == "cycle":
                cycle = entry["number"]
            if "wbuf" in entry:
                holds.see(entry)
            if "entry" in entry:
                sites[entry["entry"]] = entry["site"]
            t, m, event, wbuf, number, place = map(entry.get, COLUMNS)
            more = {key: value for key, value in entry.items() if key not in OWN}
            rows.append((t, m, event, cycle, wbuf, number, place, json.dumps(more) if more else None))
            if len(rows) >= BATCH:
                _insert(db, rows)
        _insert(db, rows)
        db.executemany("INSERT INTO entries VALUES(?, ?)", sites.items())
        db.executemany("INSERT INTO holds VALUES(?, ?, ?, ?, ?, ?, ?, ?)", holds.finish())
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise noevent(at, error) from None
    except (OverflowError, ValueError, *UNFIT) as error:
        raise LogfileError(f"{at}, or before: a field that is none of a log's ({error})") from None


def _insert(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    db.executemany(
        "INSERT INTO events(t, m, event, cycle, wbuf, entry, list, more) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", rows
    )
    rows.clear()


Hold = tuple[str, str, int | None, int | None, int | None, int | None, str | None, str | None]
"""A row of `holds`."""


class _Holds:
    """Follows buffers from hand to hand."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, int | None, int | None, str | None]] = {}
        self.had: dict[str, str] = {}
        self.rows: list[Hold] = []

    def see(self, entry: dict[str, Any]) -> None:
        """The next event that names a buffer."""
        event, wbuf = entry["event"], entry["wbuf"]
        if event == "get":
            self._close(wbuf, entry["t"], None)
            self.open[wbuf] = (entry["m"], entry["t"], entry["entry"], entry["list"])
        elif event == "put":
            self.open.setdefault(wbuf, (entry["m"], None, None, None))
            self._close(wbuf, entry["t"], entry["entry"])
        elif event == "harvested":
            self._close(wbuf, entry["t"], None)
            self.open[wbuf] = (entry["m"], entry["t"], None, None)

    def _close(self, wbuf: str, t: int | None, put: int | None) -> None:
        held = self.open.pop(wbuf, None)
        if held:
            m, began, got, came = held
            self.rows.append((wbuf, m, began, t, got, put, came, self.had.get(wbuf)))
            self.had[wbuf] = m

    def finish(self) -> Iterable[Hold]:
        """All holds, those still open too."""
        for wbuf in list(self.open):
            self._close(wbuf, None, None)
        return self.rows
