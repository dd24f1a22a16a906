"""SQL to a log reads its tables and nothing else, within limits that hold."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from collector.report.log import sql
from collector.report.log.database import TABLES
from collector.report.log.sql import SqlError, select


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="db")
def _db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The tables with a few events, in a file of their own."""
    db = sqlite3.connect(tmp_path / "db")
    db.executescript(TABLES)
    db.executemany(
        "INSERT INTO events(t, m, event, more) VALUES(?, 'a', 'get', '{\"x\": 1}')", [[i] for i in range(99)]
    )
    db.commit()
    yield db
    db.close()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT COUNT(*) FROM events", [(99,)]),
        ("WITH a AS (SELECT m FROM events) SELECT COUNT(*) FROM a, (SELECT 1)", [(99,)]),
        ("SELECT e.m, x.value FROM events e, json_each(e.more) x LIMIT 1", [("a", 1)]),
        ("SELECT ROW_NUMBER() OVER (ORDER BY t), upper(event) FROM events LIMIT 1", [(1, "GET")]),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
            [(1,), (2,), (3,)],
        ),
    ],
)
def test_the_tables_can_be_asked(db: sqlite3.Connection, text: str, rows: list[object]) -> None:
    """With all that SELECT has."""
    assert select(db, text, 200)[1] == rows


@pytest.mark.parametrize(
    "text",
    [
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'other.db'",
        "PRAGMA journal_mode = WAL",
        "PRAGMA query_only = OFF",
        "PRAGMA hard_heap_limit = 0",
        "CREATE TABLE mine(x)",
        "CREATE TEMP TABLE mine(x)",
        "INSERT INTO events(t) VALUES(1)",
        "DELETE FROM events",
        "UPDATE events SET t = 1",
        "DROP TABLE events",
        "BEGIN",
        "SELECT * FROM about",
        "SELECT COUNT(*) FROM sqlite_master",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "SELECT ?",
        "SELECT CAST(x'ff' AS TEXT)",
        "SELECT '\ud800'",
        "SELEKT",
    ],
)
def test_nothing_else_can_be_done(db: sqlite3.Connection, text: str, tmp_path: Path) -> None:
    """One line; the files are as they were, and no others are there."""
    before = (tmp_path / "db").read_bytes()

    with pytest.raises(SqlError) as refused:
        select(db, text, 200)

    assert "\n" not in str(refused.value)
    assert [file.name for file in tmp_path.iterdir()] == ["db"]
    assert (tmp_path / "db").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "SELECT zeroblob(1000000000)",
        "SELECT randomblob(1000000000)",
        "SELECT printf('%1000000000d', 1)",
        "SELECT replace(hex(hex(hex(hex(hex(hex(hex(hex(hex(hex(more)))))))))), '3', hex(hex(hex(hex(more))))) FROM events",
        "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n) SELECT x FROM n",
        "SELECT group_concat(a.more || b.more || c.more) FROM events a, events b, events c",
    ],
)
def test_no_value_grows_without_bound(db: sqlite3.Connection, text: str) -> None:
    """Refused, or stopped when it is too long."""
    with pytest.raises(SqlError, match=r"too big|not authorized"):
        select(db, text, 200)


def test_it_is_stopped_when_its_time_is_over(db: sqlite3.Connection) -> None:
    """Says after how long."""
    with pytest.raises(SqlError, match=r"stopped after 0\.2 s"):
        select(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n", 9, 0.2)


def test_an_answer_has_a_size(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short values, but many."""
    monkeypatch.setattr(sql, "ANSWER", 1000)
    with pytest.raises(SqlError, match="the answer has more than"):
        select(db, "SELECT a.more FROM events a, events b", 1 << 60)


def test_its_memory_has_a_limit() -> None:
    """Of a process of its own, as the limit stays."""
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    script = """
import sqlite3
from collector.report.log import sql
sql.WORKING = 4 << 20
db = sqlite3.connect(":memory:")
numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) "
try:
    sql.select(db, numbers + "SELECT i, hex(i) FROM n ORDER BY random()", 1, 100.0)
except sql.SqlError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=200)

    assert done.stdout == "needs more than 4 MiB of memory\n"
