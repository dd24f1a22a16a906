"""Stand-in for `threading.Lock`: a mutex of the port's.

Theory of operation.  To acquire is `lock` or `trylock`, to release is `unlock`.  Any thread may release: one that does not
hold the lock takes the word over first, which lets nobody in.

With a timeout there are two things that may happen at every failed try: the time is over (`choose`), or the thread waits
until the word has changed and tries again.  If nobody can run the time is over, too.

Relied on.  Whether the running thread holds the lock is asked without a step: nobody else takes it away but a foreign
release, and two releases of one acquire are a fault anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from workbuf.machine import Pause


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
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        place, port = self.place, self.place.port()
        if port is None:
            free = place.machine.peek(self.cell) == 0
            if free:
                place.machine.poke(self.cell, place.me())
            elif blocking and timeout == -1:
                place.wouldwait("acquire of a lock that is held")
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
                place.clocks[port.index] += seconds
                return False
            place.waiting[port.index] = place.machine.releases
            port.pause(Pause.USLEEP, 1)
            port.hint(self.cell)  # comes when the word has changed, or nobody can run
            stuck = place.machine.releases != place.waiting.pop(port.index)
        return True

    def release(self) -> None:
        """Give it back, whoever has taken it."""
        place, port = self.place, self.place.port()
        me, cell = place.me(), self.cell
        if port is None:
            if not place.machine.peek(cell):
                raise RuntimeError("release unlocked lock")
            place.machine.poke(cell, 0)
            return
        while place.machine.memory.plain[cell] != me:
            holder = port.load(cell)
            if not holder:
                raise RuntimeError("release unlocked lock")
            port.cas(cell, holder, me)
            port.check()
        port.unlock(cell)

    def locked(self) -> bool:
        """Does anybody hold it?"""
        port = self.place.port()
        return bool(self.place.machine.peek(self.cell) if port is None else port.load(self.cell))

    def _is_owned(self) -> bool:
        """For Condition, which would try to acquire it otherwise: without a step."""
        return self.place.machine.memory.plain[self.cell] == self.place.me()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> Literal[False]:
        self.release()
        return False
