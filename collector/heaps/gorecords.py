"""The record types of a Go heap dump, and their decoder.

Every number is an unsigned LEB128 varint of at most 64 bits; a string or a piece of memory is its length and its bytes;
a field list is pairs of (kind 1, byte offset) ended by kind 0.  `RECORDS` is the format.  Answers to the dump functions of
runtime/heapdump.go.

Everything here decodes from a window: IndexError means that the window ends inside, MismatchError that what stands
there is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collector.heaps.errors import MismatchError
from collector.heaps.graph import WORD


Fits = Callable[[int, int, str], None]
"""Stream.fits: refuses a length (position, length, what) that cannot be left of the file."""

MAGIC = b"go1.7 heap dump\n"

END, OBJECT, OTHER_ROOT, GOROUTINE, FRAME, PARAMS, FINALIZER = 0, 1, 2, 4, 5, 6, 7
THREAD, MEMSTATS, QUEUED_FINALIZER, DATA, BSS, DEFER, PANIC = 9, 10, 11, 12, 13, 14, 15

RECORDS = {
    END: ("end", ""),
    OBJECT: ("object", "imf"),
    OTHER_ROOT: ("other root", "si"),
    3: ("type", "iisi"),
    GOROUTINE: ("goroutine", "iiiiiiiisiiii"),
    FRAME: ("stack frame", "iiimiiisf"),
    PARAMS: ("parameters", "iiiissi"),
    FINALIZER: ("finalizer", "iiiii"),
    8: ("itab", "ii"),
    THREAD: ("thread", "iii"),
    MEMSTATS: ("memory statistics", "i" * (24 + 256 + 1)),
    QUEUED_FINALIZER: ("queued finalizer", "iiiii"),
    DATA: ("data segment", "imf"),
    BSS: ("bss segment", "imf"),
    DEFER: ("defer", "iiiiiii"),
    PANIC: ("panic", "iiiiii"),
    16: ("profile bucket", "iipii"),
    17: ("allocation sample", "ii"),
}
"""Tag: name and fields; i number, s string, m memory, f field list, p the call stack of a profile bucket."""


def number(data: bytes, at: int) -> tuple[int, int]:
    """The varint at `at` and the position behind it.  IndexError where the window ends inside it."""
    start = at
    value = shift = 0
    while (byte := data[at]) > 127:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if shift > 63:
            break
    value |= byte << shift
    if value >> 64:
        raise MismatchError(start, "a number of at most 64 bits", "a longer one")
    return value, at + 1


def field_list(data: bytes, at: int) -> tuple[list[int], int]:
    """The byte offsets of a field list and the position behind it.  IndexError where the window ends inside it."""
    offsets = []
    while kind := data[at]:
        if kind != 1:
            raise MismatchError(at, "field kind 1 (pointer) or 0 (end)", str(kind))
        offset, following = number(data, at + 1)
        if offset % WORD:
            raise MismatchError(at + 1, f"a slot at a multiple of {WORD}", f"one at {offset}")
        offsets.append(offset)
        at = following
    return offsets, at + 1


def record(data: bytes, at: int, fits: Fits) -> tuple[list[Any], int]:
    """The fields of the record at `at` and the position behind it; memory as (start, length).  IndexError."""
    tag = data[at]
    name, fields = RECORDS.get(tag, ("", ""))
    if not name:
        raise MismatchError(at, f"a record tag from 0 to {max(RECORDS)}", str(tag))
    values: list[Any] = []
    value: Any
    at += 1
    for kind in fields:
        if kind == "i":
            value, at = number(data, at)
        elif kind == "f":
            value, at = field_list(data, at)
        elif kind == "p":
            value, at = call_stack(data, at, fits)
        else:
            length, start = number(data, at)
            at = start + length
            if at > len(data):
                fits(start, length, f"'{name}'")
                raise IndexError
            value = (start, length) if kind == "m" else data[start:at]
        values.append(value)
    return values, at


def call_stack(data: bytes, at: int, fits: Fits) -> tuple[int, int]:
    """Step over the frames of a profile bucket: how many there are and the position behind them."""
    depth, at = number(data, at)
    for _ in range(depth):
        for _ in ("function", "file"):
            length, start = number(data, at)
            fits(start, length, "a name")
            at = start + length
        _, at = number(data, at)
    return depth, at
