"""A reader-writer lock: many readers or one writer, and a writer that waits keeps new readers out.  (Go: sync.RWMutex.)

Theory of operation.  `readers` counts them.  A writer takes READERS away from it, so that whoever comes or goes sees by the
sign that a writer is there: a new reader waits for it, and the last of those who were there before wakes it.  How many
those are is what `readers` held; `departing` counts them down, and may do so before the writer has added them up.

Guards.  `mutex` keeps writers apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sync.mutex import Mutex
from collector.sync.semaphore import Semaphore
from collector.sync.waitqueue import THREADS
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


READERS = 1 << 30
"""More than there can be."""


class RWMutex:
    """Go's algorithm, word by word."""

    def __init__(self, machine: Machine, name: str = "rw", threads: int = THREADS) -> None:
        self.mutex = Mutex(machine, f"{name}.mutex")
        self.readers, self.departing = machine.word(0, f"{name}.readers"), machine.word(0, f"{name}.departing")
        self.readersema = Semaphore(machine, 0, f"{name}.readersema", threads)
        self.writersema = Semaphore(machine, 0, f"{name}.writersema", threads)

    def rlock(self, port: Port) -> None:
        """Take it for reading, waiting while a writer is there."""
        if negative(port.xadd(self.readers, 1)):
            self.readersema.acquire(port)

    def runlock(self, port: Port) -> None:
        """Give it back; the last reader that a writer waits for wakes that."""
        if negative(port.xadd(self.readers, -1)) and port.xadd(self.departing, -1) == 0:
            self.writersema.release(port)

    def lock(self, port: Port) -> None:
        """Take it for writing, waiting for the writer and the readers who are there."""
        self.mutex.lock(port)
        there = port.xadd(self.readers, -READERS) + READERS & MASK64
        # They may have left since: then `departing` comes back to 0, and nobody will wake this one.
        if there and port.xadd(self.departing, there):
            self.writersema.acquire(port)

    def unlock(self, port: Port) -> None:
        """Give it back, to all the readers who wait first."""
        for _ in range(port.xadd(self.readers, READERS)):
            self.readersema.release(port)
        self.mutex.unlock(port)


def negative(word: int) -> bool:
    """Of a word as a signed number."""
    return word >> 63 != 0
