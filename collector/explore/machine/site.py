"""Source locations: the stack frames of the program under test, and their source lines."""

from __future__ import annotations

import sys
import sysconfig
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

F = TypeVar("F", bound="Callable[..., object]")

PACKAGE = "collector.explore"
LIBRARY = sysconfig.get_path("stdlib")
"""Where Python's own source files are."""
ROOTS: set[CodeType] = set()
"""Code of the outermost frame of every thread."""


class Site(NamedTuple):
    """A line that was being executed."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def root(function: F) -> F:
    """Marks the function in whose frame a thread begins; what is outside of it is the carrier's business."""
    ROOTS.add(function.__code__)
    return function


def module_of(v: object) -> str:
    """The name of the module that a function or class says it is from; empty if it does not say it in a text."""
    try:
        name: object = v.__module__
    except Exception:  # noqa: BLE001  a metaclass of the program answers
        return ""
    return name if isinstance(name, str) else ""


def of_explorer(frame: FrameType) -> bool:
    """Is it this package's own?"""
    return (frame.f_globals.get("__package__") or "").startswith(PACKAGE)


def by_a_thread(frame: FrameType | None) -> bool:
    """Is `frame` one of what a thread runs?  Invariants, views and states look while threads stand still."""
    own = frame
    while frame is not None and not of_explorer(frame):
        frame = frame.f_back
    return frame is not None and frame is not own and frame.f_code in ROOTS


def program_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """`frame` and its callers, but for this package's own, out to the thread's body."""
    while frame is not None:
        if not (frame.f_globals.get("__package__") or "").startswith(PACKAGE):  # `of_explorer`, written out
            yield frame
        elif frame.f_code in ROOTS:
            return
        frame = frame.f_back


def callers(depth: int | None = None, frame: FrameType | None = None) -> tuple[Site, ...]:
    """The program's lines that are being executed, the innermost first, from `frame` or the caller on."""
    sites = []
    for each in islice(program_frames(frame or sys._getframe(1)), depth):  # noqa: SLF001  the documented way to a caller
        code = each.f_code
        sites.append(Site(code.co_qualname, code.co_filename, each.f_lineno))
    return tuple(sites)


def innermost(frame: FrameType | None = None) -> str:
    """The innermost line of the program, `file:line`; from `frame` or the caller on."""
    return "".join(map(str, callers(1, frame or sys._getframe(1))))  # noqa: SLF001


def of_function(function: object) -> str:
    """Where a function was defined, `file:line`, if it was in Python."""
    function = getattr(function, "func", function)  # of a partial
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    # Of an object that can be called, where its class says what that does.
    called = next((vars(cls)["__call__"] for cls in type(function).__mro__ if "__call__" in vars(cls)), None)
    code = code or getattr(called, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""
