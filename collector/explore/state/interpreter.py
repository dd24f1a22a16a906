"""Reads a CPython frame's memory: its variables, the cells of its closure and its evaluation stack.

Python gives a frame's variables by value and its evaluation stack not at all.  Both lie in one array of object
pointers, `localsplus` of `_PyInterpreterFrame`, to which the frame object points.  Where, is measured when this module
is imported, on a frame whose first variable and whose `for` loop's iterator are known.  From 3.14 on the two low bits
of a pointer are a tag, and both set mean a small integer.

Whether C code stands between a frame and its caller is measured in the same way: from 3.12 on such a frame's `previous` is
not the caller, in 3.11 a byte says so.

The caller must know how deep the stack is (`collector.explore.state.bytecode`): beyond it lie dead pointers.
"""

from __future__ import annotations

import sys
from ctypes import c_char, c_ssize_t, py_object, sizeof
from functools import cache, partial
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Null:
    """Stands for an empty slot: a variable that has no value, an argument that is not there."""


NULL = Null()
WORD = sizeof(c_ssize_t)
POINTER = object.__basicsize__ + WORD
"""Offset of `f_frame` in a frame object, behind `f_back`."""
WINDOW = 16
"""Words of a frame's header that are searched."""


class Layout(NamedTuple):
    """Where things are in an interpreter's frame, in bytes from its beginning."""

    localsplus: int
    tagged: bool
    previous: int
    """Of the pointer to the frame that called; -1 if a byte tells instead."""
    entry: int
    """Of the byte that is 1 in a frame that C code called; -1 if there is none."""


def interpreter_frame(frame: FrameType) -> int:
    """Address of what `frame` points to."""
    return c_ssize_t.from_address(id(frame) + POINTER).value


def _header(frame: FrameType) -> tuple[int, bytes, list[int]]:
    at = interpreter_frame(frame)
    return at, bytes((c_char * (WINDOW * WORD)).from_address(at)), list((c_ssize_t * WINDOW).from_address(at))


def _slots_at(frame: FrameType, first: object, iterator: object) -> int | None:
    """Where `localsplus` begins in `frame`, which has four variables and an iterator on its stack."""
    at = interpreter_frame(frame)
    words = (c_ssize_t * (WINDOW + 4)).from_address(at)
    for k in range(WINDOW):
        if words[k] & ~3 == id(first) and words[k + 4] & ~3 == id(iterator):
            return k * WORD
    return None


def _probe(first: object, iterator: Iterator[int]) -> int | None:
    found = None
    for _ in iterator:
        found = found or _slots_at(sys._getframe(), first, iterator)  # noqa: SLF001
    return found


def _called() -> tuple[bytes, list[int], int]:
    """Its own header, and its caller's address."""
    frame = sys._getframe()  # noqa: SLF001
    back = frame.f_back
    _, raw, words = _header(frame)
    return raw, words, interpreter_frame(back) if back else 0


def _calibrate() -> Layout | None:
    localsplus = _probe(object(), iter((1, 2)))
    if sys.implementation.name != "cpython" or localsplus is None:
        return None
    raw, words, caller = _called()
    raw_c, words_c, caller_c = partial(_called)()
    limit = localsplus // WORD
    previous = [k * WORD for k in range(limit) if words[k] == caller and words_c[k] != caller_c]
    entry = [k for k in range(localsplus) if raw[k] == 0 and raw_c[k] == 1]
    if previous:
        return Layout(localsplus, sys.version_info >= (3, 14), previous[0], -1)
    if len(entry) == 1:
        return Layout(localsplus, sys.version_info >= (3, 14), -1, entry[0])
    return None


LAYOUT = _calibrate()
"""None: the frames of this interpreter cannot be read."""


def entered_from_c(frame: FrameType, caller: FrameType, *, switched: bool) -> bool:
    """Does C code stand between `frame` and `caller`, the next Python frame outwards?

    `switched` is whether a greenlet has been switched away from there.  It then has set `previous` to the next Python frame,
    and saved what was there behind the frame object.
    """
    if LAYOUT is None:
        return True
    at = interpreter_frame(frame)
    if LAYOUT.previous < 0:
        return c_char.from_address(at + LAYOUT.entry).value == b"\1"
    expected = interpreter_frame(caller)
    if c_ssize_t.from_address(at + LAYOUT.previous).value != expected:
        return True
    return switched and c_ssize_t.from_address(id(frame) + SAVED).value != expected


SAVED = FrameType.__basicsize__ - (LAYOUT.localsplus if LAYOUT else 0)
"""Offset in a frame object of the space for the frame of a generator or of a call that is over."""


@cache
def _array(size: int, kind: Any) -> Any:  # noqa: ANN401  a type that ctypes makes
    return kind * size


def _plain_slots(frame: FrameType, indices: Iterable[int], size: int) -> list[object]:
    array = _array(size, py_object).from_address(interpreter_frame(frame) + LOCALSPLUS)
    found = []
    for k in indices:
        try:
            found.append(array[k])
        except ValueError:  # that is how ctypes tells a null pointer
            found.append(NULL)
    return found


def _tagged_slots(frame: FrameType, indices: Iterable[int], size: int) -> list[object]:
    words = _array(size, c_ssize_t).from_address(interpreter_frame(frame) + LOCALSPLUS)
    untagged = c_ssize_t()  # this call's own: other threads explore at the same time
    pointed = py_object.from_buffer(untagged)
    found: list[object] = []
    for k in indices:
        word = words[k]
        if word & 3 == 3:
            found.append(word >> 2)
        elif word & ~3:
            untagged.value = word & ~3
            found.append(pointed.value)
        else:
            found.append(NULL)
    return found


LOCALSPLUS = LAYOUT.localsplus if LAYOUT else 0
slots: Callable[[FrameType, Iterable[int], int], list[object]] = (
    _tagged_slots if LAYOUT and LAYOUT.tagged else _plain_slots
)
"""`slots(frame, indices, size)`: what those of the first `size` slots of `frame` hold, NULL where nothing is."""
