"""Reads a heap file through a window that moves forward: plain or gzipped, with limits and a progress callback.

A reader works on `data`, a bytes object holding the part of the file from byte `base` on, with a position of its own.
It decodes one record as if all of it were there; where it runs off the end it calls `more(position)`, which forgets
what lies before the position, reads on, and lets the record be decoded again from its first byte.  `more` reads at
least as much as it keeps, so a record longer than the window costs twice its length and not its square, and memory is
the window plus the longest record, whatever the size of the file.  Where the content of a record does not matter a
reader may go on at a position behind the window: `skip` reads up to there and keeps nothing.

At the end of the file `more` raises `HeapError`: a record that still wants bytes there is a truncated one.  Before
reading on for the sake of a length that stands in the file, a reader asks `fits`: a length larger than what can be left
is refused at once.

Gzip is undone here, so that a file may be of any format and compressed or not.  A small file can unzip to a huge one:
`Limits` bounds it.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Self

from collector.heaps.errors import HeapError


Progress = Callable[[int, int], None]
"""Called with the bytes of the file read so far and the bytes in the file, after each piece of it."""

GZIP = b"\x1f\x8b"
GZIP_BEST = 1032
"""Deflate cannot do better than 1032 to 1, so what is left of a zipped file bounds what is left of the heap."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is believed; sizes in bytes."""

    window: int = 1 << 20
    """Read at a time."""
    total: int = 8 << 30
    """The longest heap, after unzipping."""
    ratio: int = 200
    """Unzipped bytes per byte of the file, once more than `grace` came out of it."""
    grace: int = 16 << 20
    objects: int = 1 << 24
    """The most objects of a heap; each takes about two hundred bytes while a dump is read."""


class Stream:
    """The moving window over one file.  Use as a context manager; raises HeapError only."""

    def __init__(self, path: str, limits: Limits, progress: Progress | None = None) -> None:
        self.path = path
        self.name = path
        """For messages: the path, and whether a byte's number counts what was unzipped."""
        self.data = b""
        self.base = 0
        """Position in the heap (after unzipping) of `data[0]`."""
        self._limits = limits
        self._progress = progress
        self._file, self._size = open_regular(path)
        self._read = 0
        head = self._pull(len(GZIP))
        self._zipped = head == GZIP
        self._zip = zlib.decompressobj(wbits=31)
        self._waiting = head if self._zipped else b""
        self._out = 0
        if self._zipped:
            self.name = f"{path} (unzipped)"
        else:
            self.data = head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def more(self, position: int, expected: str) -> None:
        """Forget `data[:position]` and read on; HeapError when the file has ended where `expected` should be."""
        kept = self.data[position:]
        new = self._next(max(self._limits.window, len(kept)))
        if not new:
            raise self.error(len(self.data), expected, "the end of the file")
        self.base += position
        self.data = kept + new
        if self.base + len(self.data) > self._limits.total:
            raise self.error(len(self.data), f"at most {self._limits.total} bytes of heap", "more (see --max-heap)")

    def skip(self, position: int, expected: str) -> int:
        """Make the window reach a `position` that may lie behind it; returns that position in the new window."""
        while position > len(self.data):
            position -= len(self.data)
            self.more(len(self.data), expected)
        return position

    def head(self, n: int) -> bytes:
        """The first `n` bytes, or all where the heap is shorter; to be called before any other method."""
        while len(self.data) < n and (new := self._next(self._limits.window)):
            self.data += new
        return self.data[:n]

    def header(self, magic: bytes, expected: str) -> None:
        """See to it that the heap begins with `magic`."""
        while len(self.data) < len(magic):
            self.more(0, expected)
        if not self.data.startswith(magic):
            raise self.error(0, expected, ascii(self.data[: len(magic)]))

    def ended(self, position: int) -> bool:
        """Say whether nothing lies behind `position`, reading on where the window ends there."""
        if position < len(self.data):
            return False
        self.base += len(self.data)
        self.data = self._next(self._limits.window)
        return not self.data

    def fits(self, position: int, length: int, what: str) -> None:
        """Refuse a `length` that stands in the file at `position` when that much cannot be left of it."""
        left = (max(self._size - self._read, 0) + len(self._waiting)) * (GZIP_BEST if self._zipped else 1)
        if self._zipped:
            left += self._limits.window + GZIP_BEST  # what the inflater has taken in and not yet given out
        bound = len(self.data) - position + left
        if length > bound:
            raise self.error(position, f"at most the {bound} bytes left for {what}", str(length))

    def bound(self, objects: int, position: int) -> None:
        """Refuse a heap of too many objects, at `position` of the window."""
        if objects > self._limits.objects:
            raise self.error(position, f"at most {self._limits.objects} objects", "more (see --max-objects)")

    def error(self, position: int, expected: str, found: str) -> HeapError:
        """The error to raise for what stands at `position` of the window."""
        return self.error_at(self.base + position, expected, found)

    def error_at(self, offset: int, expected: str, found: str) -> HeapError:
        """The error to raise for what stands at byte `offset` of the heap."""
        return HeapError(self.name, offset, expected, found)

    def _pull(self, n: int) -> bytes:
        """At most `n` bytes of the file as they lie there."""
        try:
            piece = self._file.read(n)
        except OSError as error:
            raise HeapError(self.path, self._read, "a readable file", reason(error)) from None
        self._read += len(piece)
        if self._progress is not None:
            self._progress(self._read, max(self._size, self._read))
        return piece

    def _next(self, n: int) -> bytes:
        """At most about `n` further bytes of the heap; none at its end."""
        if not self._zipped:
            return self._pull(n)
        pieces = []
        length = 0
        while length < n and (piece := self._inflate(n - length)):
            pieces.append(piece)
            length += len(piece)
        return b"".join(pieces)

    def _inflate(self, n: int) -> bytes:
        """At most `n` further bytes of what was zipped; none at the end of the last member."""
        while True:
            if self._zip.eof:
                if not self._next_member():
                    return b""
            elif not self._waiting:
                self._waiting = self._pull(1 << 16)
            had = len(self._waiting)
            try:
                piece = self._zip.decompress(self._waiting, n)
            except zlib.error as error:
                raise self._zip_error("sound gzip data", str(error)) from None
            self._waiting = self._zip.unused_data if self._zip.eof else self._zip.unconsumed_tail
            self._out += len(piece)
            limit = max(self._limits.grace, self._limits.ratio * self._read)
            if self._out > limit:
                raise self._zip_error(
                    f"at most {limit} bytes unzipped (unzip it yourself if you trust it)", "more (see --max-ratio)"
                )
            if piece:
                return piece
            if not had and not self._zip.eof:
                raise self._zip_error("the rest of a gzip member", "the end of the file")

    def _next_member(self) -> bool:
        """Start on the gzip member behind the one that ended; False when only zero padding follows."""
        while not (rest := self._waiting.lstrip(b"\0")) or rest == GZIP[:1]:
            piece = self._pull(1 << 16)
            if not piece:
                if rest:
                    raise self._zip_error("another gzip member or nothing", "a byte of one")
                self._waiting = b""
                return False
            self._waiting = rest + piece
        if rest[:2] != GZIP:
            raise self._zip_error("another gzip member or nothing", f"bytes {rest[:2].hex()}")
        self._waiting = rest
        self._zip = zlib.decompressobj(wbits=31)
        return True

    def _zip_error(self, expected: str, found: str) -> HeapError:
        return HeapError(self.path, self._read - len(self._waiting), expected, found)


def open_regular(path: str) -> tuple[BinaryIO, int]:
    """Open a file that has an end, without waiting for a writer as a named pipe would; returns it and its bytes."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise HeapError(path, None, "a readable heap file", reason(error)) from None
    except ValueError:
        raise HeapError(path, None, "a readable heap file", "a name that no file can have") from None
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode) and status.st_size:
        return os.fdopen(handle, "rb", buffering=0), status.st_size
    os.close(handle)
    if stat.S_ISDIR(status.st_mode):
        raise HeapError(path, None, "a heap file", "a directory")
    if stat.S_ISREG(status.st_mode):
        raise HeapError(path, 0, "a heap", "an empty file")
    raise HeapError(path, None, "a regular file", "a device, pipe or socket (save it to a file first)")


def reason(error: OSError) -> str:
    """Why the system refused, in words and without the path, which the message names already."""
    return error.strerror or str(error)
