"""Notes (one-shot events) and locks for real threads, blocking as futexes do.  (Go: lock_futex.go.)

Theory of operation.  As with a futex, a thread blocks on a cell.  The cell's `Place` is a mutex and a condition variable,
made when the cell is first used.  A waiter reads the word with the mutex held, and goes to sleep and releases the mutex in
one step.  A waker changes the word with the mutex held.  So no wake-up is lost between the waiter's read and its sleep.
The word is the only state: a note is usable again as soon as its owner has stored 0 in it.

Guards.  A note is woken once per clearing (Go's double-wakeup throw); a lock is released by its holder, and not taken
twice by it.  Go's futex lock cannot tell who unlocks, and hangs on a second lock: here both are throws.

Relied on.  An abort sets its flag first, then notifies under the mutex of every place where that is free, and is repeated
until all threads have ended; a sleeper reads the flag under that mutex.  So an abort is not lost either, and a thread that
holds mutexes too long, stuck in C say, does not delay it.

Not modelled.  Fairness: a released lock goes to the thread that comes first.
"""

from __future__ import annotations

from threading import Condition, Lock
from time import monotonic_ns
from typing import TYPE_CHECKING

from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Words


class Place:
    """Where threads wait for one cell to change."""

    __slots__ = ("changed", "mutex", "waiting")

    def __init__(self) -> None:
        self.mutex = Lock()
        self.changed = Condition(self.mutex)
        self.waiting = 0
        """Threads asleep here; guarded by the mutex.  Saves the notification nobody waits for."""

    def wait(self, seconds: float | None = None) -> None:
        """Give up the mutex, sleep until notified or for so long, and take it again."""
        self.waiting += 1
        try:
            self.changed.wait(seconds)
        finally:
            self.waiting -= 1

    def rouse(self) -> None:
        """Notify whoever sleeps here, if the mutex is free."""
        if self.mutex.acquire(blocking=False):
            try:
                self.changed.notify_all()
            finally:
                self.mutex.release()


class Parking:
    """All places of a machine, by cell.  The one object that threads share on purpose."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def at(self, a: int) -> Place:
        """The place of cell `a`; setdefault is one step, so two threads that come first agree."""
        return self._places.get(a) or self._places.setdefault(a, Place())

    def rouse(self) -> None:
        """Let every sleeper look again, after an abort.

        Waits for no mutex, however many are held: a place whose mutex is held now is passed over, so it is to be called
        again until all have ended.
        """
        for place in list(self._places.values()):
            place.rouse()


class Notes:
    """The blocking half of a port: sleep and wake, lock and unlock."""

    index: int
    words: Words
    check: Callable[[], None]
    parking: Parking
    cellname: Callable[[int], str]

    def sleep(self, note: int, ns: int = -1, /) -> bool:
        """Wait until the note at cell `note` is woken, at most `ns` nanoseconds if not negative: was it woken?"""
        self.check()
        words = self.words
        place = self.parking.at(note)
        until = monotonic_ns() + ns
        with place.mutex:
            while not words[note]:
                self.check()
                left = until - monotonic_ns()
                if ns < 0:
                    place.wait()
                elif left > 0:
                    place.wait(left / 1e9)
                else:
                    return False
        return True

    def wake(self, note: int, /) -> None:
        """Wake the note at cell `note`, which nobody may have woken since it was cleared."""
        words = self.words
        place = self.parking.at(note)
        with place.mutex:
            old = words[note]
            if old:
                raise Throw("notewakeup - double wakeup", f"notewakeup - double wakeup ({old})")
            words[note] = 1
            if place.waiting:
                place.changed.notify_all()

    def lock(self, a: int, /) -> None:
        """Acquire the mutex at cell `a`, blocking."""
        self.check()
        words = self.words
        me = self.index + 1
        place = self.parking.at(a)
        with place.mutex:
            if words[a] == me:
                raise Throw("self-deadlock", f"lock of {self.cellname(a)} by {self._who(me)}, which holds it already")
            while words[a]:
                self.check()
                place.wait()
            words[a] = me

    def trylock(self, a: int, /) -> bool:
        """Acquire the mutex at cell `a` if it is free; say whether it was."""
        with self.parking.at(a).mutex:
            if self.words[a]:
                return False
            self.words[a] = self.index + 1
            return True

    def unlock(self, a: int, /) -> None:
        """Release the mutex at cell `a`, which this thread holds."""
        words = self.words
        me = self.index + 1
        place = self.parking.at(a)
        with place.mutex:
            holder = words[a]
            if holder != me:
                raise Throw(
                    "unlock of unlocked lock",
                    f"unlock of {self.cellname(a)} by {self._who(me)}, held by {self._who(holder)}",
                )
            words[a] = 0
            if place.waiting:
                place.changed.notify()

    @staticmethod
    def _who(holder: int) -> str:
        return f"thread {holder - 1}" if holder else "nobody"
