"""Finds the files of a log that was rotated, unpacks them, and reads their lines.

A log that was rotated lies in several files: `run.log` is the last, `run.TIME.log` those before it, perhaps packed.  Each
begins with the schema line, which is the same in all of a run but for the number of its `part`; parts of an earlier run
that lie there too are left alone.  A part by itself is a log too.

The run may be writing, rotating or packing while its log is read, or have been killed at any of these.  So a part is known
by its name without the packing, and read from the plain file as long as that is there: it is removed when the packed one is
whole.  `run.log` itself is not there while the part before it is packed; then the newest run's parts are the log.

A killed run may leave an incomplete last line: it is left out and reported, and so is a part that is missing or was cut
short.  Any other error ends the reading.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
import re
import stat
import sys
import time
import zlib
from codecs import getincrementaldecoder
from contextlib import closing, nullcontext, suppress
from hashlib import blake2b
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from collector.report.log.positioned import pread
from collector.report.log.writer import COMPRESSIONS, SCHEMA, VERSION


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import BinaryIO

OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""How a packed file begins, to what reads it: whatever its name is."""
SPOILT = (zlib.error, lzma.LZMAError, gzip.BadGzipFile)
LONGEST = 16 << 20
"""Bytes of a line: no event is longer."""
PIECE, HEAD = 1 << 20, 256
MOST_SAID = 9
"""Missing parts that are named: a number in a first line may be any."""
STEP = 0.02
"""Seconds between two looks."""
TIMED = re.compile(r"\.\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d+")
"""What loguru puts into a part's name."""


class LogfileError(Exception):
    """The file is no log that can be read: the text says which line and why."""


class Parts:
    """The files of the log at `path`, oldest first; `header` is the first line.  Close it.  Raises LogfileError."""

    def __init__(self, path: str) -> None:
        # What was rotated lies beside the file, not beside a link to it.
        self.path = Path(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114
        self.header: dict[str, Any] = {}
        self.files: list[Path] = []
        self.missing: list[str] = []
        """What a reader should know is not there, a line each."""
        self.bytes = 0
        self.torn = 0
        """Number of the last line if it was torn, else 0; known when all lines have been read."""
        self.live: BinaryIO | None = None
        """The file of that name, held open: should it be renamed, it is still the one whose first line was read."""
        try:
            self.live = opened(self.path)
        except IsADirectoryError:
            raise LogfileError(f"{path}: a directory, not a log") from None
        except FileNotFoundError:
            pass
        except OSError as error:
            raise LogfileError(f"{path}: cannot read: {error.strerror or error}") from None
        self.size = 0 if self.live is None else os.fstat(self.live.fileno()).st_size
        """Bytes of it that are read: the run may be writing on."""
        try:
            self._find()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file that is held open."""
        if self.live:
            self.live.close()

    def _find(self) -> None:
        """Find the parts of the run.  A listing may miss a part that is just being renamed: then list again."""
        if self.live:
            self.header = first(self.path, self._lines(self.path))
        for last in (False, False, True):
            found = {file: begun for file in self._named() if (begun := begins(file))}
            if not self.live and found:
                self.header = max(found.values(), key=lambda begun: str(begun.get("run", "")))
            run = [file for file, begun in found.items() if same(begun, self.header)]
            self.files = run
            number = self.header.get("part")
            if isinstance(number, int):
                numbers = {file: int(found[file]["part"]) for file in run}
                # That of `live` too, if it has been renamed since its first line was read; and those after it.
                self.files = sorted((f for f in run if not self.live or numbers[f] < number), key=numbers.__getitem__)
                upto = number if self.live else max(numbers.values(), default=0)
                there = set(numbers.values())
                gone = list(islice((n for n in range(1, upto) if n not in there), MOST_SAID))
                if gone and not TIMED.search(self.path.name):
                    if not last:
                        time.sleep(STEP)
                        continue
                    self.missing.append(f"part {', '.join(map(str, gone))} of {upto} is missing")
            break
        if self.live:
            self.files.append(self.path)
        if not self.files:
            raise LogfileError(f"{self.path}: cannot read: {os.strerror(errno.ENOENT)}")

    def _named(self) -> list[Path]:
        """Files that are named as loguru names what it rotates of this log, without the suffix of a packed one, by time."""
        stem, suffix, packed = re.escape(self.path.stem), re.escape(self.path.suffix), "|".join(COMPRESSIONS)
        named = re.compile(rf"({stem}\.([\d_-]+)(?:\.(\d+))?{suffix})(?:\.(?:{packed}))?")
        try:
            matches = [named.fullmatch(file.name) for file in self.path.parent.iterdir()]
        except OSError:
            return []
        # Several of one instant are numbered.
        found = {(match[2], int(match[3] or 0), match[1]) for match in matches if match}
        return [self.path.with_name(name) for _, _, name in sorted(found)]

    def _lines(self, file: Path) -> Generator[str, None, None]:
        """The lines of one of the files."""
        if self.live and file == self.path:
            self.live.seek(0)
            return read(file, self.live, self.size if isinstance(self.live, BufferedReader) else sys.maxsize)
        return read(file)

    def digest(self) -> str:
        """Of every byte of the files as they lie there; `bytes` are as many.  Raises LogfileError."""
        whole = blake2b(digest_size=16)
        self.bytes = 0
        for file in self.files:
            try:
                if self.live and file == self.path:
                    for at in range(0, self.size, PIECE):
                        whole.update(pread(self.live.fileno(), min(PIECE, self.size - at), at))
                    self.bytes += self.size
                else:
                    with stored(file) as content:
                        while piece := content.read(PIECE):
                            whole.update(piece)
                            self.bytes += len(piece)
            except OSError as error:
                raise LogfileError(f"{file}: cannot read: {error.strerror or error}") from None
            whole.update(b"\n")
        return whole.hexdigest()

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every line but the first ones: where it stands, and what it says."""
        for file in self.files:
            yield from self._entries(file, last=file == self.files[-1])

    def _entries(self, file: Path, *, last: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        with closing(self._lines(file)) as lines:
            if next(lines, None) is None:
                self.missing.append(f"{file} has gone")
                return
            for number, line in enumerate(lines, 2):
                entry = parsed(line)
                if not isinstance(entry, dict) or not line.endswith("\n"):
                    if next(lines, None) is not None:
                        raise LogfileError(f"{file}: line {number}: no event of a log")
                    if last:
                        self.torn = number
                    else:
                        self.missing.append(f"{file} was cut short at line {number}")
                    return
                yield f"{file}: line {number}", entry


def parsed(line: str) -> Any:  # noqa: ANN401  JSON values
    """What a line says; None if that is no JSON, or one that nobody writes."""
    try:
        return json.loads(line, parse_constant=refused)
    except (ValueError, RecursionError):
        return None


def refused(name: str) -> NoReturn:
    """JSON has no NaN and no infinity."""
    raise ValueError(name)


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


def regular(path: str, flags: int) -> int:
    """Open a file that has an end, without waiting for a writer as a named pipe would."""
    fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # a folder is refused by whoever asked
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "a device, a pipe or a socket: save it to a file first", path)


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
    if not isinstance(found, dict) or not {"schema", "version"} <= found.keys():
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


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Are they first lines of one run?"""
    return {**one, "part": 0} == {**other, "part": 0}
