"""The threads of one run: they start together, the first failure stops all of them, and all are joined at the end.

Theory of operation.  Threads wait at a gate until all of them are ready, so none has finished before another exists.  The
first exception that leaves a body is the run's failure: all others are told to stop and are joined, and the exception is
raised in the thread that called `run`.  That thread waits in short steps, so that Ctrl-C and `tick` are handled.

Relied on.  A thread that was told to stop raises Aborted soon (Port's contract).  One that does not is named, with its
stack, and left behind as a daemon.
"""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager
from threading import Event, Lock, current_thread
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from workbuf.hardware.limits import Shortage, threads
from workbuf.hardware.starting import StartedThread
from workbuf.machine import Aborted
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK_SECONDS = 1.0
STEP_SECONDS = 0.05
"""How long the waiting thread sleeps between two ticks."""


class Failure(NamedTuple):
    """Why a run ended early."""

    thread: str
    exception: BaseException


class Stuck(Throw):
    """Threads went on after the run was aborted: some loop has neither pause nor check.  The failure is its cause."""


class Died(Exception):
    """A worker was ended by what is no error, KeyboardInterrupt or SystemExit: the cause."""


class Crew:
    """The threads of one machine.  `stop` is called once for an abort and makes bodies raise Aborted."""

    def __init__(self, stop: Callable[[], None], grace: float) -> None:
        """`grace`: seconds that threads have to end after an abort."""
        self._stop = stop
        self._grace = grace
        self._lock = Lock()
        self._gate = Event()
        self._pending: list[StartedThread] = []
        self._threads: list[StartedThread] = []
        self._aborted_at = 0.0
        self.failure: Failure | None = None

    def add(self, name: str, main: Callable[[Callable[[], object]], object]) -> None:
        """A thread that runs `main(gate)` when the run begins, at once if it has; `main` calls `gate` when it is ready."""
        thread = StartedThread(name, self._guarded, (main,))
        with self._lock:
            self._pending.append(thread)
        if self._gate.is_set():
            self._start()

    def run(self, tick: Callable[[], object]) -> None:
        """Start the threads, call `tick` about every 50 ms until all have ended; raise the first failure, if any."""
        try:
            self._start()
            self._gate.set()
            self._wait(tick)
        except KeyboardInterrupt as interrupt:
            self.abort()
            for line in self._gathered():
                interrupt.add_note(line)
            raise
        except BaseException as error:  # noqa: BLE001  whatever tick or a refused thread raises ends the run
            self.fail(current_thread().name, error)
        stuck = self._gathered()
        self._gate.clear()
        cause = self.failure.exception if self.failure else None
        if stuck:
            raise Stuck(
                f"threads that did not end within {self._grace:g} s of the abort: {len(stuck)}", *stuck
            ) from cause
        if cause:
            raise cause

    def fail(self, thread: str, exception: BaseException) -> None:
        """Make this the failure, if it is the first, and abort."""
        with self._briefly():
            if self.failure is None:
                self.failure = Failure(thread, exception)
                exception.add_note(f"in thread {thread}")
        self.abort()

    def abort(self) -> None:
        """Tell every thread to stop; returns at once."""
        self._aborted_at = self._aborted_at or monotonic()
        self._stop()

    @contextmanager
    def _briefly(self) -> Iterator[None]:
        """The lock, or after LOCK_SECONDS no lock: better to report the second of two failures than none."""
        held = self._lock.acquire(timeout=LOCK_SECONDS)
        try:
            yield
        finally:
            if held:
                self._lock.release()

    def stacks(self) -> dict[str, str]:
        """The stack of every thread that runs, by the thread's name."""
        alive = self._alive()
        frames = sys._current_frames()  # noqa: SLF001  the one way there is
        found: dict[str, str] = {}
        for thread in alive:
            frame = frames.get(thread.ident or 0)
            if frame:
                name = f"{thread.name} ({thread.ident})" if thread.name in found else thread.name
                found[name] = "".join(traceback.format_stack(frame))
        return found

    def _guarded(self, main: Callable[[Callable[[], object]], object]) -> None:
        try:
            main(self._gate.wait)
        except Aborted:
            pass
        except Exception as error:  # noqa: BLE001  it is raised again where the run was started
            self.fail(current_thread().name, error)
        except BaseException as error:  # noqa: BLE001  as what it is, it would end more than the run
            died = Died(f"{type(error).__name__} raised in a worker{f': {error}' if str(error) else ''}")
            died.__cause__ = error
            self.fail(current_thread().name, died.with_traceback(error.__traceback__))

    def _start(self) -> None:
        with self._lock:
            while self._pending:
                thread = self._pending.pop(0)
                try:
                    thread.start()
                except (RuntimeError, MemoryError) as error:
                    wanted = len(self._threads) + 1 + len(self._pending)
                    raise Shortage(threads(len(self._threads), wanted)) from error
                self._threads.append(thread)

    def _alive(self) -> list[StartedThread]:
        with self._briefly():
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            return list(self._threads)

    def _wait(self, tick: Callable[[], object]) -> None:
        """Until all threads have ended, or none of the rest wants to."""
        while alive := self._alive():
            alive[0].join(STEP_SECONDS)
            if self._aborted_at:
                if monotonic() - self._aborted_at > self._grace:
                    return
                self._stop()
            tick()

    def _gathered(self) -> list[str]:
        """Wait for what still runs, after an abort; returns a line, with the stack, for each that does not end."""
        # The failure may have come before everybody was at the gate.
        self._gate.set()
        while alive := self._alive():
            if monotonic() - self._aborted_at > self._grace:
                break
            self._stop()
            alive[0].join(STEP_SECONDS)
        return [f"{name} does not end:\n{stack}" for name, stack in self.stacks().items()]
