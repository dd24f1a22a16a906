"""Opens an SQLite file of ours, or makes it; what is something else, or another program's, is refused and left as it is."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from collector.report.log.cachefile import MAGIC


if TYPE_CHECKING:
    from typing import NoReturn

KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


class OwnFileError(Exception):
    """The file cannot be used: the text says why, and begins with its name."""


def opened(path: str, what: str, application: int, version: int, schema: str) -> sqlite3.Connection:
    """The file of `what`, of this application and version, with the tables of the schema; raises OwnFileError."""

    def refuse(why: object) -> NoReturn:
        raise OwnFileError(f"{path}: {why}")

    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  a name
        if not stat.S_ISREG(mode):
            refuse(f"{KINDS.get(stat.S_IFMT(mode), 'a device')}, where a file of {what} is wanted")
        with Path(path).open("rb") as file:
            begins = file.read(len(MAGIC))
        if begins and begins != MAGIC:
            refuse(f"no {what}: the file is not a database; give {what} a file of their own")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        refuse(getattr(error, "strerror", None) or error)
    try:
        db = sqlite3.connect(path)
    except sqlite3.Error as error:
        refuse(error)
    try:
        db.execute("BEGIN IMMEDIATE")  # also tells whether it may be written
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (by,), (of) = db.execute("PRAGMA application_id").fetchone(), db.execute("PRAGMA user_version").fetchone()[0]
        db.rollback()
        if (by, of) == (0, 0) and not tables:
            db.executescript(
                f"BEGIN; PRAGMA application_id = {application}; PRAGMA user_version = {version}; {schema} COMMIT"
            )
        elif by != application:
            refuse(f"not {what}, but another program's database; give them a file of their own")
        elif of != version:
            refuse(f"not {what} of this version; give them a file of their own")
    except sqlite3.Error as error:
        db.close()
        refuse(error)
    except OwnFileError:
        db.close()
        raise
    return db
