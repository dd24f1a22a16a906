"""A streaming JSON reader for V8 snapshots: reads huge arrays of numbers, and skips most other values.

The standard library's parser wants the whole text and makes an object for every number.  `JsonText` walks the text in
the windows of a `Stream`, turns an array of numbers into a column, hands out the text of one small value to be parsed
as usual, and steps over any other value to its end.  Strictly checked: the numbers, the strings' ends, the nesting.
What is stepped over is not checked further.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

from collector.heaps.graph import column


if TYPE_CHECKING:
    from array import array
    from collections.abc import Container

    from collector.heaps.stream import Stream


BOM = b"\xef\xbb\xbf"
"""UTF-8's byte order mark, which some writers put before the text."""
BLANK = b" \t\r\n"
NOT_BLANK = re.compile(rb"[^ \t\r\n]")
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}"]', re.DOTALL)
"""A whole string, a bracket, or the quote of a string that the window cuts off."""
IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
NOT_A_NUMBER = re.compile(rb"[^0-9, \t\r\n]")
SCALAR = re.compile(rb"[-+.0-9A-Za-z]++")
CLOSES = {b"[": b"]", b"{": b"}"}
SMALL = 1 << 20
"""Bytes of the longest value that `small` hands out, and of the longest key."""

DEPTH = 1000
"""Brackets open at a time."""


class JsonText:
    """A position in the JSON text of a stream.  All methods raise HeapError, with the byte where the text goes wrong."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._at = len(BOM) if stream.head(len(BOM)) == BOM else 0
        self._kept: int | None = None
        """Where the value begins that `small` wants to stay in the window."""

    def position(self) -> int:
        """The byte of the text that comes next."""
        return self._stream.base + self._at

    def peek(self, expected: str) -> bytes:
        """The next byte that is no blank, not taken."""
        while not (found := NOT_BLANK.search(self._stream.data, self._at)):
            self._more(len(self._stream.data), expected)
        self._at = found.start()
        return found.group()

    def take(self, *allowed: bytes) -> bytes:
        """Take the next byte that is no blank; it must be one of `allowed`."""
        expected = " or ".join(ascii(byte)[1:] for byte in allowed)
        byte = self.peek(expected)
        if byte not in allowed:
            raise self._stream.error(self._at, expected, ascii(byte)[1:])
        self._at += 1
        return byte

    def key(self) -> str:
        """The key of a member, with the colon behind it taken too."""
        key = self.small("a key")
        if not isinstance(key, str):
            raise self._stream.error(self._at, "a key in quotes", ascii(key)[:40])
        self.take(b":")
        return key

    def numbers(self, what: str) -> array[int]:
        """An array of whole numbers, none negative, each of at most 64 bits."""
        self.take(b"[")
        out = column()
        while True:
            data = self._stream.data
            end = data.find(b"]", self._at)
            stop = end if end >= 0 else data.rfind(b",", self._at)
            if stop >= 0:
                piece = data[self._at : stop]
                if end < 0 or out or piece.strip(BLANK):
                    self._extend(out, piece, what)
                self._at = stop + 1
            if end >= 0:
                return out
            self._more(self._at, f"the rest of '{what}'")

    def strings(self, wanted: Container[int]) -> dict[int, str]:
        """Of an array of strings those at the places `wanted`; the others are stepped over, and whatever is no array."""
        found: dict[int, str] = {}
        if self.peek("a value") != b"[":
            self.skip()
            return found
        self.take(b"[")
        if self.peek("a string or ']'") == b"]":
            self.take(b"]")
            return found
        for i in count():
            if i in wanted:
                found[i] = str(self.small("a string"))
            else:
                self.skip()
            if self.take(b",", b"]") == b"]":
                break
        return found

    def small(self, what: str) -> Any:  # noqa: ANN401 - whatever the text says
        """The value that comes next, parsed; it must be short."""
        self.peek(what)
        self._kept = self._at
        self.skip()
        start, self._kept = self._kept, None
        try:
            return json.loads(self._stream.data[start : self._at])
        except (ValueError, RecursionError) as error:
            raise self._stream.error(start, f"{what} in JSON", str(error)) from None

    def skip(self) -> None:
        """Step over the value that comes next."""
        if self.peek("a value") not in b'"[{':
            self._skip_scalar()
            return
        closers: list[bytes] = []
        while True:
            token = TOKEN.search(self._stream.data, self._at)
            if token is None:
                self._more(len(self._stream.data), "the rest of a value")
                continue
            text = token.group()
            self._at = token.end()
            if text == b'"':
                self._end_string()
            elif text in CLOSES:
                closers.append(CLOSES[text])
                if len(closers) > DEPTH:
                    raise self._stream.error(token.start(), f"at most {DEPTH} brackets open", "more")
            elif text in CLOSES.values() and closers.pop() != text:
                raise self._stream.error(token.start(), "the bracket that closes the last one opened", text.decode())
            if not closers:
                return

    def end(self) -> None:
        """See to it that nothing but blanks follows."""
        while not (found := NOT_BLANK.search(self._stream.data, self._at)):
            if self._stream.ended(len(self._stream.data)):
                return
            self._at = 0
        raise self._stream.error(found.start(), "nothing behind the closing '}'", ascii(found.group())[1:])

    def _end_string(self) -> None:
        """Step over the rest of a string that the window cuts off."""
        while True:
            found = IN_STRING.match(self._stream.data, self._at)
            end = found.end() if found else self._at
            if self._stream.data[end : end + 1] == b'"':
                self._at = end + 1
                return
            self._more(end, "the rest of a string")

    def _skip_scalar(self) -> None:
        while not (found := SCALAR.match(self._stream.data, self._at)) or found.end() == len(self._stream.data):
            if found is None:
                raise self._stream.error(self._at, "a value", ascii(self._stream.data[self._at : self._at + 1])[1:])
            self._more(self._at, "the rest of a value")
        self._at = found.end()

    def _extend(self, out: array[int], piece: bytes, what: str) -> None:
        expected = f"'{what}' to be whole numbers with commas between"
        wrong = NOT_A_NUMBER.search(piece)
        if wrong:
            raise self._stream.error(self._at + wrong.start(), expected, ascii(wrong.group())[1:])
        try:
            out.extend(map(int, piece.split(b",")))
        except OverflowError:
            raise self._stream.error(self._at, expected, "one of more than 64 bits") from None
        except ValueError:
            raise self._stream.error(self._at, expected, "a gap, or no comma") from None

    def _more(self, at: int, expected: str) -> None:
        """Read on; `at` is the position to go on from, and what lies before it is forgotten unless kept."""
        start = at if self._kept is None else self._kept
        if self._kept is not None and len(self._stream.data) - start > SMALL:
            raise self._stream.error(start, f"a value of at most {SMALL} bytes", "a longer one")
        self._stream.more(start, expected)
        self._at = at - start
        if self._kept is not None:
            self._kept = 0
