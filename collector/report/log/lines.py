"""Reads one file of a log, packed or not: its lines, and the first of them, which says whose log it is.

While a run packs a file, the plain one is read as long as it is there: it is removed when the packed one is whole.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
import sys
import zlib
from codecs import getincrementaldecoder
from contextlib import closing, nullcontext, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from collector.report.log.writer import COMPRESSIONS, SCHEMA, VERSION
from collector.report.regular import regular


if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from typing import BinaryIO

OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""How a packed file begins, to what reads it: whatever its name is."""
SPOILT = (zlib.error, lzma.LZMAError, gzip.BadGzipFile)
LONGEST = 16 << 20
"""Bytes of a line: no event is longer."""
INTERRUPTED = KeyboardInterrupt.__name__
"""What a log gives as the error of a run that was interrupted, which is no failure."""
HEAD = 256
"""Bytes that tell how a file is packed, and whether it is text."""


class LogfileError(Exception):
    """The file is no log that can be read: the text says which line and why."""


def noevent(where: str, error: Exception) -> LogfileError:
    """What to raise for the line at that place, of which no event could be made."""
    why = f"{error} is not there, or is not known" if isinstance(error, KeyError) else str(error)
    return LogfileError(f"{where}: no event of a log: {why}")


def parsed(line: str) -> dict[str, Any] | None:
    """What a line says; None if that is no object in JSON, or one that nobody writes."""
    try:
        found = DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def refused(name: str) -> NoReturn:
    """JSON has no NaN and no infinity."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=refused)
"""Made once: json.loads makes one for each call that asks for anything unusual."""


def stored(file: Path) -> BinaryIO:
    """The bytes of `file`, or of what it has been packed into since; raises OSError."""
    for path in (file, *packings(file)):
        try:
            return path.open("rb")
        except FileNotFoundError:
            continue
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def packings(file: Path) -> list[Path]:
    """What `file` may be packed into."""
    return [file.with_name(f"{file.name}.{suffix}") for suffix in COMPRESSIONS]


def opened(file: Path) -> BinaryIO:
    """`file`, unpacked if it is packed, or what it has been packed into since; raises OSError."""
    for path in (file, *packings(file)):
        with suppress(FileNotFoundError):
            content = open(path, "rb", opener=regular)  # noqa: SIM115  it has an opener, and is returned
            begun = content.peek(HEAD)
            unpack = next((unpack for magic, unpack in OPENERS.items() if begun.startswith(magic)), None)
            if unpack is None:
                return content
            content.close()
            unpacked: BinaryIO = unpack(path, "rb")
            return unpacked
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def read(file: Path, content: BinaryIO | None = None, size: int = sys.maxsize) -> Generator[str, None, None]:
    """The lines of a file, or of its `content`, which stays open, up to `size` bytes.  Raises LogfileError."""
    at = 0
    try:
        with nullcontext(content) if content else opened(file) as lines:
            # The first line of an image, say, may be text.
            getincrementaldecoder("utf-8")().decode(lines.read(HEAD))
            lines.seek(0)
            while line := lines.readline(min(LONGEST, size - at)):
                yield line.decode()
                at += len(line)
    except SPOILT as error:
        raise LogfileError(f"{file}: cannot unpack: {error}") from None
    except EOFError:
        yield ""  # packing was cut short, in the middle of a line
    except OSError as error:
        raise LogfileError(f"{file}: cannot read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise LogfileError(f"{file}: byte {at + error.start}: not text; is it a log?") from None


def first(file: Path, lines: Generator[str, None, None]) -> dict[str, Any]:
    """The schema line, which is the first of `lines`.  Raises LogfileError."""
    with closing(lines):
        found = parsed(next(lines, ""))
    if found is None or not {"schema", "version"} <= found.keys():
        raise LogfileError(f'{file}: line 1: no log of this program: {{"schema": "{SCHEMA}", ...}} is expected')
    schema, version = found["schema"], found["version"]
    if schema != SCHEMA or version != VERSION:
        what = f"{str(schema)[:80]} version {str(version)[:80]}"
        raise LogfileError(f"{file}: line 1: a log of {what}; this reads {SCHEMA} version {VERSION}")
    threads = found.get("threads")
    if not isinstance(threads, list) or not all(isinstance(name, str) and encodable(name) for name in threads):
        raise LogfileError(f"{file}: line 1: the schema line names no threads")
    if not isinstance(found.get("part", 1), int):
        raise LogfileError(f"{file}: line 1: the part has no number")
    return dict(found)


def encodable(name: str) -> bool:
    """Is it text, without half a surrogate?"""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def begins(file: Path) -> dict[str, Any] | None:
    """The schema line of a file, if the file is a log."""
    try:
        return first(file, read(file))
    except LogfileError:
        return None
