"""A queue of waiting threads, first come, first served.  (Go: the sudog lists of runtime/sema.go.)

Guards.  All words but the notes: by a mutex of the owner's, which whoever calls anything here holds.  A thread waits in one
place at a time, so it has one note here, and one link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


THREADS = 8
"""Threads that there is room for, unless said."""


class WaitQueue:
    """A list linked by thread: 0 ends it, 1 + t stands for thread t."""

    def __init__(self, machine: Machine, name: str, threads: int = THREADS) -> None:
        self.threads = threads
        self.first, self.last = machine.word(0, f"{name}.first"), machine.word(0, f"{name}.last")
        self.next = machine.alloc(threads, f"{name}.next")
        self.notes = machine.alloc(threads, f"{name}.note")

    def enter(self, port: Port) -> int:
        """The thread of `port` goes to the end; returns its note, on which it sleeps once it has given the mutex back."""
        words, t = port.words, port.index
        if t >= self.threads:
            raise Throw(f"a queue for {self.threads} threads, and this is number {t}: ask for more room")
        note = self.notes + t
        words[note] = 0  # before anybody can find it
        words[self.next + t] = 0
        last = words[self.last]
        words[self.next + last - 1 if last else self.first] = t + 1
        words[self.last] = t + 1
        return note

    def leave(self, port: Port) -> int:
        """Who has waited longest leaves; returns the note to wake, or 0 if nobody waits."""
        words = port.words
        first = words[self.first]
        if not first:
            return 0
        words[self.first] = words[self.next + first - 1]
        if words[self.last] == first:
            words[self.last] = 0
        return self.notes + first - 1
