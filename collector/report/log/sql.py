"""Runs a user's SQL query on a log's tables in a sandbox: read only, with limits on time and memory.

SQLite's authorizer allows SELECT on the tables named here and nothing else: no ATTACH, no writing, no PRAGMA.  The length
of values is limited, so that no step of a query takes long; between two steps it is interrupted when its time is over.
Temporary data lies in memory, within a limit that SQLite enforces.
"""

from __future__ import annotations

import sqlite3
from threading import Timer
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = frozenset({"threads", "events", "entries", "cycles", "holds"})
RESULTS = frozenset({"tasks", "failures"})
"""Of campaigns."""
MORE_TABLES = frozenset({"json_each", "json_tree"})
"""Functions that are asked like tables: of the JSON in `events.more`."""
ACTIONS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
SQLITES = ("sqlite_", "pragma_", "dbstat")
GROWING = frozenset({"zeroblob", "randomblob", "printf", "format", "load_extension", "fts3_tokenizer"})
"""Functions that make much of little, or load code."""
SECONDS = 10.0
LONGEST = 100_000
"""Bytes of a value."""
WORKING = 256 << 20
"""Bytes of memory for the query itself."""
ANSWER = 64 << 20
"""Bytes of values in the answer."""


class SqlError(Exception):
    """The question cannot be answered: the text says why."""


def allowed(action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
    """SQLite's question whether a statement may do something."""
    del _database, _by
    if action in ACTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ:
        # Where no column is read, the table may be one that the statement makes itself.
        table = (first or "").lower()
        fine = table in TABLES | RESULTS | MORE_TABLES or (
            not second and table != "about" and not table.startswith(SQLITES)
        )
    else:
        fine = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in GROWING
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def select(
    db: sqlite3.Connection, text: str, most: int, seconds: float = SECONDS
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Headings and at most `most` rows; raises SqlError.

    `db` keeps its limits, and the process the one on SQLite's memory, which can be lowered and not raised again.
    """
    (pages,), (size,) = (db.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute(f"PRAGMA hard_heap_limit = {WORKING + pages * size}")
    db.execute("PRAGMA query_only = ON")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    # Tables that are functions are made when they are first asked, which the authorizer would not have.
    db.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
    db.set_authorizer(allowed)
    timer = Timer(seconds, db.interrupt)
    timer.daemon = True
    timer.start()
    try:
        answer = db.execute(text)
        rows = list(bounded(answer, most))
    except MemoryError:
        raise SqlError(f"needs more than {WORKING >> 20} MiB of memory") from None
    except sqlite3.OperationalError as error:
        why = f"stopped after {seconds:g} s" if str(error) == "interrupted" else str(error)
        raise SqlError(why) from None
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise SqlError(str(error)) from None
    finally:
        timer.cancel()
        timer.join()
        db.set_authorizer(None)
    return tuple(column[0] for column in answer.description or ()), rows


def bounded(answer: sqlite3.Cursor, most: int) -> Iterator[tuple[Any, ...]]:
    """The first rows of an answer; raises SqlError if they are too much."""
    size = 0
    for row in answer:
        size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if size > ANSWER:
            raise SqlError(f"the answer has more than {ANSWER >> 20} MiB")
        yield row
        most -= 1
        if not most:
            return
