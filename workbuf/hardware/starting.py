"""A thread class whose `start` raises an error if the new thread does not begin.

Theory of operation.  `Thread.start` returns when the new thread signals that it has begun.  A thread that gets no memory for
its first step ends without that signal, and `start` would wait for ever.  So that wait has a limit.

Relied on.  `threading.Thread` waits by `self._started.wait()`, as it has since Python 3.0.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 10.0
"""Seconds that a thread may take to begin: on a very busy machine it is a fraction of one."""


class Begun(Event):
    """The signal of a new thread that it has begun."""

    def wait(self, timeout: float | None = None) -> bool:
        """False if the thread has not begun in time."""
        return super().wait(LONGEST if timeout is None else timeout)


class StartedThread(Thread):
    """A daemon thread whose `start` raises RuntimeError, too, if the thread does not begin."""

    def __init__(self, name: str, target: Callable[..., object] | None = None, args: tuple[Any, ...] = ()) -> None:
        super().__init__(name=name, target=target, args=args, daemon=True)
        self._started = Begun()

    def start(self) -> None:
        """Start it; raises RuntimeError as `Thread.start` does when the system has no more threads."""
        super().start()
        if not self._started.is_set():
            raise RuntimeError("can't start new thread")
