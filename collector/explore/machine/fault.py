"""The fault of a failing schedule, as a record; and the exception for a program that breaks the machine's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from traceback import walk_tb
from typing import NamedTuple

from collector.explore.machine.carrier import MAIN
from collector.explore.machine.site import of_explorer
from workbuf.throw import Throw


ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
"""Where an object of Python's lies, as its repr tells it: different on every run."""


LONGEST = 1_000
"""Characters of a message,"""
MOST = 20_000
"""and of all that an error says."""


class Refused(BaseException):
    """The program breaks a rule of the machine; not an Exception, so no program swallows it."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        """Which rule, and what to do."""
        self.where = where
        """`file:line` in the program."""


class Lasso(NamedTuple):
    """A part of a trail, from one visit of a state to the next."""

    begin: int
    end: int


@dataclass(frozen=True)
class Fault:
    """What went wrong in one schedule, in words that are the same on every run."""

    kind: str
    """throw, assertion, exception, check, invariant, deadlock, livelock, endless, race."""
    message: str
    where: str = ""
    """Source line that raised, `file:line`; two faults are the same if kind and `where` are, or kind and message."""
    thread: int = MAIN
    details: str = ""
    """Further lines for a report."""
    lasso: Lasso | None = None
    """For a livelock: the part of the trail that repeats."""

    def same(self, other: Fault | None) -> bool:
        """Is `other` this fault again, on another schedule?"""
        return (
            other is not None
            and self.kind == other.kind
            and (self.where == other.where if self.where else self.message == other.message)
        )


def fault_of(error: BaseException, thread: int = MAIN, kind: str = "") -> Fault:
    """The fault that `error` is; `kind` if that is known better."""
    frames = [*walk_tb(error.__traceback__)]
    # What a port throws is thrown where the program has called it.
    frame, number = next((found for found in reversed(frames) if not of_explorer(found[0])), frames[-1])
    where = f"{frame.f_code.co_filename}:{number}"
    text = ADDRESS.sub("", told(error))  # a failed assertion may show a function, as pytest rewrites it
    line, text = shortened(text.partition("\n")[0], LONGEST), shortened(text, MOST)
    if isinstance(error, Throw):
        return Fault(kind or "throw", error.text, where, thread, text)
    if isinstance(error, AssertionError):
        return Fault(kind or "assertion", line or "assertion failed", where, thread, text)
    name = type(error).__name__
    message, details = (f"{name}: {line}", f"{name}: {text}") if line else (name, text)
    return Fault(kind or "exception", message, where, thread, details)


def shortened(text: str, most: int) -> str:
    """The text, or so much of its beginning."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def told(error: BaseException) -> str:
    """Its text; what takes its place where the error's own `__str__` raises."""
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001  whatever it is, the fault is `error`
        return f"(its text cannot be had: {type(another).__name__})"
