"""A watchdog for thread bodies that take no step, such as an endless loop in pure Python; and for set-ups and checks.

Theory of operation.  The machine gets control at scheduling points only, so a body that reaches none would run for ever.  A
separate thread checks TICKS times a second.  If a schedule has taken no step in PATIENCE seconds of processor time, an
exception is raised in the thread that carries it (`PyThreadState_SetAsyncExc`); a body that waits for something uses no such
time, and is given IDLE times as long by the clock.  When the exploration's own time is over, it waits LATE seconds; a
schedule that takes steps then is told that it is late, and is cut when it next looks (`state.endless`).
One thread serves all explorations of the process and ends LINGER checks after the last: starting it costs as much as a dozen
schedules.

Guards.  It checks and raises under a lock that `__exit__` takes too, so nothing is raised after the `with` statement; so
does `cutting`, and no schedule that begins after it is told that it is late.

Not modelled.  C code that does not return.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
from threading import Lock, Thread
from time import perf_counter, process_time, sleep
from typing import TYPE_CHECKING, Self

from collector.explore.machine.misuse import Stuck, misused
from collector.explore.machine.site import innermost


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore.machine.execution import Execution
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Program

TICKS = 5
PATIENCE = 5.0
"""Seconds without a step, of the processor: on a busy machine the clock's go by while nobody is let run."""
IDLE = 3
"""How many times as long that is by the clock."""
LATE = 1.0
"""The same, when the time is over that an exploration was given."""
LINGER = 5
"""Checks without an exploration after which the thread ends."""


class Watchdog:
    """Checks for progress while a `with` statement runs schedules."""

    def __init__(self, seconds: float | None) -> None:
        self.until = perf_counter() + seconds if seconds is not None else float("inf")
        self.execution: Execution | None = None
        """The execution that is watched."""
        self.before = (-1, -1)
        """Number and length of the schedule at the last check."""
        self.unchanged = 0
        """Checks in a row without progress."""
        self.busy = 0.0
        """Processor time of this process before them."""
        self.cuts = False
        """Schedules are cut when the time is over."""

    @contextmanager
    def cutting(self, seconds: float | None) -> Iterator[None]:
        """Schedules in this `with` statement are cut when so many seconds are over."""
        self.until = perf_counter() + seconds if seconds is not None else float("inf")
        self.cuts = True
        try:
            yield
        finally:
            with THREAD.lock:
                self.cuts = False

    def __enter__(self) -> Self:
        THREAD.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        THREAD.remove(self)

    def check(self) -> None:
        """Check once, and raise Stuck in the running thread if there was no progress for too long."""
        execution = self.execution
        if execution is None or execution.capturing or not (execution.running or execution.calling):
            self.before, self.unchanged = (-1, -1), 0
            return
        if self.cuts and perf_counter() > self.until:
            execution.late = True
        now = (execution.number, len(execution.trail))
        if now != self.before:
            self.before, self.unchanged, self.busy = now, 0, process_time()
            return
        self.unchanged += 1
        patience = LATE if perf_counter() > self.until else PATIENCE
        # Checks are counted, not the clock's time: a process that was stopped meanwhile has checked once.
        if process_time() - self.busy >= patience or self.unchanged >= IDLE * patience * TICKS:
            self.unchanged, self.busy = 0, process_time()
            ident = execution.calling or execution.carrier.ident(max(execution.current, 0))
            execution.stuck = innermost(sys._current_frames().get(ident))  # noqa: SLF001  another thread's frame
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stuck))


@contextmanager
def blaming(program: Program) -> Iterator[None]:
    """A Stuck in this `with` statement, raised in no thread, becomes the misuse of `program` that led to it, if one did."""
    try:
        yield
    except Stuck as stuck:
        # In a set-up, a check, an invariant, or this package.
        raise (misused(stuck, program) or stuck) from stuck


@contextmanager
def watched(machine: SteppedMachine, program: Program) -> Iterator[None]:
    """What the machine runs in this `with` statement comes to an end, or is refused."""
    with Watchdog(None) as watchdog, blaming(program):
        watchdog.execution = machine.execution
        yield


class WatchdogThread:
    """The thread that checks all explorations of this process; it runs while there are any."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.watchdogs: list[Watchdog] = []
        """One for each exploration under way."""
        self.running = False
        """The thread is running."""

    def add(self, watchdog: Watchdog) -> None:
        """Check this one from now on."""
        with self.lock:
            self.watchdogs.append(watchdog)
            if not self.running:
                self.running = True
                Thread(target=self._check_all, name="watchdog", daemon=True).start()

    def remove(self, watchdog: Watchdog) -> None:
        """Do not check this one any more; after this call nothing is raised for it."""
        with self.lock:
            self.watchdogs.remove(watchdog)

    def in_child(self) -> None:
        """After a fork the thread does not exist, and the lock may be held by a thread that does not either."""
        self.lock = Lock()
        self.running = False

    def _check_all(self) -> None:
        idle = 0
        while idle < LINGER:
            sleep(1 / TICKS)
            with self.lock:
                for watchdog in self.watchdogs:
                    watchdog.check()
                idle = 0 if self.watchdogs else idle + 1
                # From here on it is not asked any more: by then another thread may be running for the next exploration.
                self.running = idle < LINGER


THREAD = WatchdogThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=THREAD.in_child)
