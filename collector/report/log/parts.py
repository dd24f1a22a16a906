"""The files of a log: found, unpacked, read line by line.

A log that was rotated lies in several files: `run.log` is the last, `run.TIME.log` those before it, perhaps compressed.
Each begins with the same schema line, by which the parts of one run know each other; parts of an earlier run that lie
there too are left alone.  A part by itself is a log too.

A run that was killed leaves a last line without its end, or one that is no JSON: it is left out, and that is said.
Anything else that is wrong ends the reading.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.report.log.writer import COMPRESSIONS, SCHEMA, VERSION


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import TextIO

OPENERS: dict[str, Callable[..., TextIO]] = dict(zip(COMPRESSIONS, (gzip.open, bz2.open, lzma.open), strict=True))
SPOILT = (zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class LogfileError(Exception):
    """The file is no log that can be read: the text says which line and why."""


class Parts:
    """The files of the log at `path`, oldest first; `header` is the first line.  Raises LogfileError."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise LogfileError(f"{path}: a directory, not a log")
        self.header = header(self.path)
        self.files = [*self._older(), self.path]
        self.torn = 0
        """Number of the last line if it was torn, else 0; known when all lines have been read."""

    def _older(self) -> list[Path]:
        """Files that are named as loguru names what it rotates, and are of the same run."""
        stem, suffix = self.path.stem, self.path.suffix
        packed = "|".join(COMPRESSIONS)
        named = re.compile(rf"{re.escape(stem)}\.([\d_-]+)(?:\.(\d+))?{re.escape(suffix)}(?:\.(?:{packed}))?")
        found = []
        for file in self.path.parent.iterdir():
            match = named.fullmatch(file.name)
            if match and same(file, self.header):
                # Several of one instant are numbered.
                found.append((match[1], int(match[2] or 0), file))
        return [file for _, _, file in sorted(found)]

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every line but the first ones: where it stands, and what it says."""
        for file in self.files:
            yield from self._entries(file, last=file == self.files[-1])

    def _entries(self, file: Path, *, last: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        with closing(read(file)) as lines:
            next(lines)
            for number, line in enumerate(lines, 2):
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = None
                if not isinstance(entry, dict) or not line.endswith("\n"):
                    if next(lines, None) is None and last:
                        self.torn = number
                        return
                    raise LogfileError(f"{file}: line {number}: no event of a log")
                yield f"{file}: line {number}", entry


def read(file: Path) -> Generator[str, None, None]:
    """The lines of a file, unpacked if its name says that it is packed.  Raises LogfileError."""
    try:
        with OPENERS.get(file.suffix.removeprefix("."), open)(file, "rt", encoding="utf-8") as lines:
            yield from lines
    except SPOILT as error:
        raise LogfileError(f"{file}: cannot unpack: {error}") from None
    except EOFError:
        yield ""  # packing was cut short, in the middle of a line
    except OSError as error:
        raise LogfileError(f"{file}: cannot read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise LogfileError(f"{file}: byte {error.start}: not text; is it a log?") from None


def header(file: Path) -> dict[str, Any]:
    """The schema line of a file.  Raises LogfileError."""
    try:
        with closing(read(file)) as lines:
            found = json.loads(next(lines, ""))
        schema, version = found["schema"], found["version"]
    except (ValueError, TypeError, KeyError):
        raise LogfileError(
            f'{file}: line 1: no log of this program: {{"schema": "{SCHEMA}", ...}} is expected'
        ) from None
    if schema != SCHEMA or version != VERSION:
        raise LogfileError(
            f"{file}: line 1: a log of {schema} version {version}; this reads {SCHEMA} version {VERSION}"
        )
    threads = found.get("threads")
    if not isinstance(threads, list) or not all(isinstance(name, str) for name in threads):
        raise LogfileError(f"{file}: line 1: the schema line names no threads")
    return dict(found)


def same(file: Path, first: dict[str, Any]) -> bool:
    """Is this a part of the log that begins with `first`?"""
    try:
        return header(file) == first
    except LogfileError:
        return False
