"""Carriers, which run the threads of the stepped machine: the interface, and its implementation by greenlets.

Theory of operation.  `goto[t](i)` hands control from thread `i` to thread `t`.  It returns when control is handed back,
with the value that was passed: the number of the thread that did so, or ABORT.  `goto[MAIN]`, the last element, is the
machine's own loop.  Making a greenlet costs twenty switches (CPython maps a stack chunk for each), so a greenlet lives as
long as the machine and runs one body per schedule.

Relied on.  One greenlet runs at a time and a switch happens nowhere but here, so no step needs a lock, whether the
interpreter has a GIL or not.  `collector.explore.machine.osthreads` carries the same threads on the operating system's.
"""

from __future__ import annotations

import gc
from threading import get_ident
from typing import TYPE_CHECKING, Protocol

import greenlet


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


MAIN = -1
"""The machine's own loop, as a thread number."""
ABORT = -2
"""What a thread is handed instead of a number when its schedule was given up."""
CLOSE = -3
"""What it is handed when there will be no further schedule."""


class Carrier(Protocol):
    """Carrier of threads 0, 1, 2, ..."""

    goto: list[Callable[[int], int]]
    switches: bool
    """It switches between greenlets, which changes the frames of those that do not run."""

    def add(self, life: Callable[[], None]) -> None:
        """The carrier of the next thread; it begins `life()` when control is first handed to it."""

    def fresh(self, t: int) -> None:
        """Thread `t`, which is running, begins another body: it has set no context variable yet."""

    def frame(self, t: int) -> FrameType | None:
        """The innermost Python frame of thread `t`, which is not running."""

    def ident(self, t: int) -> int:
        """The operating system's thread that runs thread `t`, as `threading.get_ident` has it."""

    def handled(self, t: int) -> BaseException | None:
        """The exception that thread `t`, which is not running, is handling."""

    def close(self) -> None:
        """Give the carriers back; every one waits at the end of a body."""


class Greenlets:
    """Threads on greenlets."""

    switches = True

    def __init__(self) -> None:
        self.main = greenlet.getcurrent()
        self.home = get_ident()
        self.carriers: list[greenlet.greenlet] = []
        self.goto: list[Callable[[int], int]] = [self.main.switch]

    def add(self, life: Callable[[], None]) -> None:
        # Its parent is the loop and not the greenlet that makes it: an interrupt in a thread is raised there.
        carrier = greenlet.greenlet(lambda _from: life(), self.main)
        self.carriers.append(carrier)
        self.goto.insert(len(self.goto) - 1, carrier.switch)

    def fresh(self, t: int) -> None:
        self.carriers[t].gr_context = None

    def frame(self, t: int) -> FrameType | None:
        return self.carriers[t].gr_frame

    def ident(self, _t: int) -> int:
        return self.home

    def handled(self, t: int) -> BaseException | None:
        # A greenlet keeps it beside its frames, where only the garbage collector looks.
        return next((v for v in gc.get_referents(self.carriers[t]) if isinstance(v, BaseException)), None)

    def close(self) -> None:
        for goto in self.goto[:-1]:
            goto(CLOSE)
