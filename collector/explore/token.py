"""Tokens: encodes a schedule as a short text, and decodes it.

A token holds the deviations from the default schedule (`collector.explore.default`), each as two variable-length numbers.
It also holds scenario, variant, parameters and the version of the code, the number of steps with a digest of them, and a
checksum.  It is URL-safe base64 behind `s2.`, so it can be pasted into a shell or a file name.  Nothing in it depends on the
interpreter.

A token that begins with `s1.` was made when every write let those go who pause, also one that changed nothing.  It is read
the same, and replayed if its steps are still those that it was made of.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32


if TYPE_CHECKING:
    from collections.abc import Iterator


FORMAT = 2
"""Of the tokens that are made now."""
CHECKSUM = 4
"""Bytes of the checksum, and of the digest."""
MOST_STEPS = 1 << 24
"""Of a schedule: more take many minutes."""


@dataclass(frozen=True)
class Token:
    """A schedule and what it is a schedule of."""

    deviations: tuple[tuple[int, int], ...] = ()
    steps: int = 0
    """Entries of the trail when it failed."""
    digest: int = 0
    """CRC-32 of the steps: thread, kind and cell of each."""
    plain_points: bool = False
    """Plain accesses are steps."""
    races: bool = False
    """A race ends the schedule."""
    limit: int = 0
    """Steps after which the schedule goes on in turn; 0 is the machine's own."""
    early: int = 0
    """Pauses of each thread that may end early."""
    muted: tuple[int, ...] = ()
    """Threads whose bodies are left out."""
    left_out: tuple[int, ...] = ()
    """Optional items of the program that are left out."""
    about: dict[str, object] = field(default_factory=dict)
    """`scenario`, `variant`, `parameters`, `version`, where known."""
    format: int = FORMAT
    """1 or 2."""

    def encode(self) -> str:
        """The token as text."""
        about = json.dumps(self.about, sort_keys=True, separators=(",", ":")).encode() if self.about else b""
        out = bytearray([self.plain_points | self.races << 1 | bool(self.left_out) << 2 | bool(self.early) << 3])
        for n in (len(about), *about, len(self.muted), *self.muted, self.limit, self.steps, len(self.deviations)):
            _put(out, n)
        for n in (len(self.left_out), *self.left_out) if self.left_out else ():
            _put(out, n)
        if self.early:
            _put(out, self.early)
        out += self.digest.to_bytes(CHECKSUM, "little")
        before = 0
        for at, entry in self.deviations:
            _put(out, at - before)
            _put(out, entry << 1 if entry >= 0 else (~entry << 1) - 1)
            before = at
        prefix = f"s{self.format}."
        out += checksum(out, prefix)
        return prefix + urlsafe_b64encode(out).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Token:
        """The token that `text` is; ValueError with one line if it is none."""
        text = text.strip()
        prefix, body = text[:3], text[3:]
        if prefix not in {"s1.", "s2."}:
            raise ValueError(f"token {text[:20]!r}: a token of this version begins with 's{FORMAT}.'")
        try:
            raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except (Base64Error, ValueError):
            raise ValueError(f"token {text[:20]!r}: not base64; was it copied whole?") from None
        if checksum(raw[:-CHECKSUM], prefix) != raw[-CHECKSUM:]:
            raise ValueError(f"token {text[:20]!r}: the checksum does not match; was it copied whole?")
        try:
            return cls._read(raw, int(prefix[1]))
        except (IndexError, ValueError, OverflowError, RecursionError):
            raise ValueError(f"token {text[:20]!r}: it holds no schedule; was it made by another program?") from None

    @classmethod
    def _read(cls, raw: bytes, form: int) -> Token:
        """The token of `raw`, whose checksum is right; raises one of several errors if it was not made by `encode`."""
        numbers = _Numbers(raw[1:-CHECKSUM])
        about = bytes(numbers.take(next(numbers)))
        muted = tuple(numbers.take(next(numbers)))
        limit, steps, count = numbers.take(3)
        left_out = tuple(numbers.take(next(numbers))) if raw[0] & 4 else ()
        early = next(numbers) if raw[0] & 8 else 0
        digest = int.from_bytes(numbers.raw(CHECKSUM), "little")
        deviations = []
        at = 0
        for _ in range(count):
            at += next(numbers)
            code = next(numbers)
            deviations.append((at, code >> 1 if not code & 1 else ~(code + 1 >> 1)))
        known = json.loads(about) if about else {}
        if not isinstance(known, dict) or max(limit, steps) > MOST_STEPS or not numbers.ended:
            raise ValueError
        flags = bool(raw[0] & 1), bool(raw[0] & 2)
        return cls(tuple(deviations), steps, digest, *flags, limit, early, muted, left_out, known, form)


def checksum(data: bytes | bytearray, prefix: str) -> bytes:
    """CRC-32 of prefix and data.  With the prefix that of no data is not 0, so that a token of zeros is refused."""
    return crc32(data, crc32(prefix.encode())).to_bytes(CHECKSUM, "little")


def _put(out: bytearray, n: int) -> None:
    """Append `n` in groups of seven bits, the lowest first."""
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


class _Numbers:
    """Reads back what `_put` wrote."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        n = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            n |= (byte & 0x7F) << shift
            if byte < 0x80:
                return n
            shift += 7

    @property
    def ended(self) -> bool:
        """Nothing is left."""
        return self.at == len(self.data)

    def take(self, count: int) -> list[int]:
        """The next `count` numbers."""
        return [next(self) for _ in range(count)]

    def raw(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.at += count
        return self.data[self.at - count : self.at]
