"""A watchdog for thread bodies that take no step, such as an endless loop in pure Python.

Theory of operation.  The machine gets control at scheduling points only, so a body that reaches none would run for ever.  A
separate thread checks TICKS times a second.  If a schedule has taken no step for PATIENCE seconds, an exception is raised in
the thread that carries it (`PyThreadState_SetAsyncExc`).  When the exploration's own time is over, it waits LATE seconds.
One thread serves all explorations of the process and ends LINGER checks after the last: starting it costs as much as a dozen
schedules.

Guards.  It checks and raises under a lock that `__exit__` takes too, so nothing is raised after the `with` statement.

Not modelled.  C code that does not return.
"""

from __future__ import annotations

import ctypes
import os
from threading import Lock, Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Self

from collector.explore.machine.misuse import Stuck


if TYPE_CHECKING:
    from collector.explore.machine.execution import Execution

TICKS = 5
PATIENCE = 5.0
"""Seconds without a step."""
LATE = 1.0
"""The same, when the time is over that an exploration was given."""
LINGER = 5
"""Looks without an exploration after which the thread ends."""


class Watchdog:
    """Checks for progress while a `with` statement runs schedules."""

    def __init__(self, seconds: float | None) -> None:
        self.until = perf_counter() + seconds if seconds is not None else float("inf")
        self.execution: Execution | None = None
        """Whose schedules they are."""
        self.before = (-1, -1)
        """The schedule and how long it was, at the last look."""
        self.looks = 0
        """In a row at which it was the same."""

    def __enter__(self) -> Self:
        LOOKOUT.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        LOOKOUT.remove(self)

    def look(self) -> None:
        """Look once."""
        execution = self.execution
        if execution is None or not execution.running:
            self.looks = 0
            return
        now = (execution.number, len(execution.trail))
        self.looks = self.looks + 1 if now == self.before else 0
        self.before = now
        # Looks are counted, not time: a process that was stopped meanwhile has looked once.
        if self.looks >= TICKS * (LATE if perf_counter() > self.until else PATIENCE):
            self.looks = 0
            ident = execution.carrier.ident(max(execution.current, 0))
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stuck))


class Lookout:
    """The thread that looks, while there is something to look at."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.watchdogs: list[Watchdog] = []
        """Of the explorations under way."""
        self.looking = False
        """The thread is there."""

    def add(self, watchdog: Watchdog) -> None:
        """Look for this one too."""
        with self.lock:
            self.watchdogs.append(watchdog)
            if not self.looking:
                self.looking = True
                Thread(target=self._look, name="watchdog", daemon=True).start()

    def remove(self, watchdog: Watchdog) -> None:
        """Nothing is raised for this one any more."""
        with self.lock:
            self.watchdogs.remove(watchdog)

    def in_child(self) -> None:
        """After a fork the thread is not there, and the lock perhaps held by nobody."""
        self.lock = Lock()
        self.looking = False

    def _look(self) -> None:
        idle = 0
        while self.looking:
            sleep(1 / TICKS)
            with self.lock:
                for watchdog in self.watchdogs:
                    watchdog.look()
                idle = 0 if self.watchdogs else idle + 1
                self.looking = idle < LINGER


LOOKOUT = Lookout()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LOOKOUT.in_child)
