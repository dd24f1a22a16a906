"""Finds the files of a log that was rotated, and reads the lines of all of them.

A log that was rotated lies in several files: `run.log` is the last, `run.TIME.log` those before it, perhaps packed.  Each
begins with the schema line, which is the same in all of a run but for the number of its `part`; parts of an earlier run
that lie there too are left alone.  A part by itself is a log too.

The run may be writing, rotating or packing while its log is read, or have been killed at any of these.  So a part is known
by its name without the packing.  `run.log` itself is not there while the part before it is packed; then the newest run's
parts are the log.

A killed run may leave an incomplete last line: it is left out and reported, and so is a part that is missing or was cut
short.  Any other error ends the reading.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from contextlib import closing
from hashlib import blake2b
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from collector.report.log.lines import LogfileError, begins, first, noevent, opened, parsed, read, stored
from collector.report.log.positioned import pread
from collector.report.log.writer import COMPRESSIONS


if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import BinaryIO

PIECE = 1 << 20
MOST_SAID = 9
"""Missing parts that are named: a number in a first line may be any."""
STEP = 0.02
"""Seconds between two listings: renaming a part takes far less, also where files are another machine's."""
TIMED = re.compile(r"\.\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d+")
"""What loguru puts into a part's name."""


Line = TypeVar("Line")


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
                        time.sleep(STEP)  # the part may be there again: who writes the log has just been renaming it
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
        return self.parsed(parsed)

    def parsed(self, parse: Callable[[str], Line | None]) -> Iterator[tuple[str, Line]]:
        """Every line but the first ones: where it stands, and what `parse` makes of it.

        That is None if the line is none of a log; what `parse` raises is said with the place.
        """
        for file in self.files:
            yield from self._entries(file, parse, last=file == self.files[-1])

    def _entries(self, file: Path, parse: Callable[[str], Line | None], *, last: bool) -> Iterator[tuple[str, Line]]:
        with closing(self._lines(file)) as lines:
            if next(lines, None) is None:
                self.missing.append(f"{file} has gone")
                return
            for number, line in enumerate(lines, 2):
                try:
                    entry = parse(line)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise noevent(f"{file}: line {number}", error) from None
                if entry is None or not line.endswith("\n"):
                    if next(lines, None) is not None:
                        raise LogfileError(f"{file}: line {number}: no event of a log")
                    if last:
                        self.torn = number
                    else:
                        self.missing.append(f"{file} was cut short at line {number}")
                    return
                if isinstance(entry, dict) and "schema" in entry:
                    raise LogfileError(
                        f"{file}: line {number}: another log begins here, and a file holds one:"
                        " cut it in two before this line"
                    )
                yield f"{file}: line {number}", entry


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Are they first lines of one run?"""
    return {**one, "part": 0} == {**other, "part": 0}
