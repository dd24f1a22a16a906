"""Stand-in for `threading.Lock`: a mutex of the port's.

Theory of operation.  To acquire is `lock` or `trylock`, to release is `unlock`.  Any thread may release: where that throws,
because somebody else holds the lock or nobody does, an exchange frees it or finds that it was free.

With a timeout there are two things that may happen at every failed try: the time is over (`choose`), or the thread waits
until the word has changed and tries again.  If nobody can run the time is over, too.

Relied on.  Whether the running thread holds the lock (`_is_owned`) is asked without a step: nobody else takes it away but a
foreign release, and who has a condition of such a lock is at fault anyway.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.stdlib.place import Place


class Lock:
    """As `threading.Lock` is documented."""

    place: ClassVar[Place]

    def __init__(self) -> None:
        self.cell = self.place.cell("lock")

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002  as in threading
        """Take it: wait for it, for so many seconds, or not at all."""
        patience(blocking, timeout)
        place, port = self.place, self.place.port()
        if port is None:
            free = place.machine.peek(self.cell) == 0
            if free:
                place.machine.poke(self.cell, place.me())
            elif blocking and timeout == -1:
                place.wouldwait("acquire of a lock that is held")
            elif blocking:
                place.passes(timeout)
            return free
        if not blocking or timeout == 0:
            return port.trylock(self.cell)
        if timeout == -1:
            port.lock(self.cell)
            return True
        return self._within(port, timeout)

    def _within(self, port: SteppedPort, seconds: float) -> bool:
        """Take it, or run out of time."""
        place, stuck = self.place, False
        while not port.trylock(self.cell):
            if stuck or port.choose(2):
                place.passes(seconds)
                return False
            place.waiting[port.index] = place.machine.releases
            port.pause(Pause.USLEEP, 1)
            port.hint(self.cell)  # comes when the word has changed, or nobody can run
            stuck = place.machine.releases != place.waiting.pop(port.index)
        return True

    def release(self) -> None:
        """Give it back, whoever has taken it."""
        port, cell = self.place.port(), self.cell
        if port is None:
            held = self.place.machine.peek(cell)
            self.place.machine.poke(cell, 0)
        else:
            try:
                port.unlock(cell)
            except Throw:
                held = port.xchg(cell, 0)
            else:
                return
        if not held:
            raise RuntimeError("release unlocked lock")

    def locked(self) -> bool:
        """Does anybody hold it?"""
        port = self.place.port()
        return bool(self.place.machine.peek(self.cell) if port is None else port.load(self.cell))

    def _is_owned(self) -> bool:
        """For Condition, which would try to acquire it otherwise: without a step."""
        return self.place.machine.memory.plain[self.cell] == self.place.me()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    acquire_lock, release_lock, locked_lock = acquire, release, locked


def patience(blocking: object, timeout: object) -> None:
    """Raise what `acquire` raises for arguments that mean nothing: a lock that is free would be taken at once."""
    real: Any = threading.Lock()
    real.acquire(blocking, timeout)


def limit(seconds: object) -> float:
    """A time limit, which is a number, and not too large."""
    if not isinstance(seconds, int | float):
        raise TypeError(f"{type(seconds).__name__!r} object cannot be interpreted as an integer")
    if seconds > threading.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return seconds
