"""A watchdog for thread bodies that take no step, such as an endless loop in pure Python.

Theory of operation.  The machine gets control at scheduling points only, so a body that reaches none would run for ever.  A
separate thread checks TICKS times a second.  If a schedule has taken no step for PATIENCE seconds, an exception is raised in
the thread that carries it (`PyThreadState_SetAsyncExc`).  When the exploration's own time is over, it waits LATE seconds.

Not modelled.  C code that does not return.
"""

from __future__ import annotations

import ctypes
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Self

from collector.explore.machine.misuse import Stuck


if TYPE_CHECKING:
    from collector.explore.machine.execution import Execution

TICKS = 5
PATIENCE = 5.0
"""Seconds without a step."""
LATE = 1.0
"""The same, when the time is over that an exploration was given."""


class Watchdog:
    """Checks for progress while a `with` statement runs schedules."""

    def __init__(self, seconds: float | None) -> None:
        self.until = perf_counter() + seconds if seconds is not None else float("inf")
        self.execution: Execution | None = None
        """Whose schedules they are."""
        self.over = Event()
        self.thread = Thread(target=self._look, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        before, looks = (-1, -1), 0
        while not self.over.wait(1 / TICKS):
            execution = self.execution
            if execution is None or not execution.running:
                looks = 0
                continue
            now = (execution.number, len(execution.trail))
            looks = looks + 1 if now == before else 0
            before = now
            # Looks are counted, not time: a process that was stopped meanwhile has looked once.
            if looks >= TICKS * (LATE if perf_counter() > self.until else PATIENCE):
                looks = 0
                ident = execution.carrier.ident(max(execution.current, 0))
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stuck))
