"""The file that caches a log's database, with a checksum by which it is recognised if it was changed or damaged since.

The checksum (*seal*) is stored in the two fields of the database header that SQLite leaves to applications, user version
and application id.  It covers everything else.
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO

from collector.report.log.positioned import pread, pwrite
from collector.report.regular import regular


if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"SQLite format 3\0"
SEAL, HALF = (60, 68), 4
"""Where the two numbers stand, and their bytes."""
PIECE = 1 << 20


def digest(fd: int) -> bytes:
    """Of the bytes of a database, its seal left out."""
    whole = blake2b(digest_size=HALF * len(SEAL))
    at = 0
    while piece := pread(fd, PIECE, at):
        if not at:
            first = bytearray(piece)
            for place in SEAL:
                first[place : place + HALF] = bytes(HALF)
            piece = bytes(first)
        whole.update(piece)
        at += len(piece)
    return whole.digest()


def seal(fd: int) -> None:
    """Store the checksum of the database that is open there."""
    value = digest(fd)
    for i, place in enumerate(SEAL):
        pwrite(fd, value[i * HALF : (i + 1) * HALF], place)


def intact(path: Path) -> bool:
    """Is it a database with a checksum, and does that match?"""
    try:
        with open(path, "rb", opener=regular) as file:
            fd = file.fileno()
            return pread(fd, len(MAGIC), 0) == MAGIC and digest(fd) == b"".join(
                pread(fd, HALF, place) for place in SEAL
            )
    except OSError:
        return False


def ours(path: Path) -> bool:
    """Is there nothing, or a cached database, whether or not its checksum matches?"""
    try:
        with open(path, "rb", opener=regular) as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except FileNotFoundError:
        return True
    except (OSError, sqlite3.Error):
        return False
    try:
        (tables,) = db.execute("SELECT COUNT(*) FROM sqlite_master WHERE name IN ('about', 'holds')").fetchone()
    except sqlite3.Error:  # too spoilt to say
        return True
    finally:
        db.close()
    return bool(tables == 2)


def copy(source: BinaryIO, target: BinaryIO) -> None:
    """Copy a whole file."""
    while piece := source.read(PIECE):
        target.write(piece)
    target.flush()
