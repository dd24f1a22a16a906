"""Defers Ctrl-C and SIGTERM until the main thread asks for them.

Theory of operation.  Python raises KeyboardInterrupt between any two bytecodes of the main thread: in the middle of a line
of the log, or inside a callback that swallows it.  Here the handler only notes the signal, and the main thread asks for it
where it is safe.  The third signal raises at once.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Self


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 2
"""Signals that are noted before one raises."""


class Interrupts:
    """While entered, signals are counted, and `told` is called at each, in the main thread between two of its bytecodes.

    Entered in another thread, it does nothing: Python handles signals in the main thread only.
    """

    def __init__(self, told: Callable[[], object] = lambda: None) -> None:
        self.told = told
        self.count = 0
        self.ours = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self.ours:
            self.before = {number: signal.signal(number, self._note) for number in HELD}
        return self

    def __exit__(self, *_: object) -> None:
        if self.ours:
            for number, handler in self.before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > PATIENCE:
            signal.default_int_handler(number, frame)
        self.told()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal has come."""
        if self.count:
            raise KeyboardInterrupt
