"""A condition variable of a monitor: wait until somebody says that something has changed.  (Go: sync.Cond.)

Theory of operation.  `wait` enters the queue, gives the mutex back and sleeps on its own note.  A note that was woken stays
so: whoever is woken between the unlock and the sleep does not sleep.  Woken is not running: before it has the mutex again
others may have it, so what was waited for is asked again (Lampson and Redell, Experience with Processes and Monitors in
Mesa, 1980):

    mutex.lock(port)
    while not <what is waited for>:
        cond.wait(port)

Guards.  The queue, by the mutex, which `signal` and `broadcast` ask for as `wait` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sync.waitqueue import THREADS, WaitQueue


if TYPE_CHECKING:
    from collector.sync.mutex import Mutex
    from workbuf.machine import Machine, Port


class Cond:
    """A condition of what `mutex` guards.  Whoever calls anything here holds that."""

    def __init__(self, machine: Machine, mutex: Mutex, name: str = "cond", threads: int = THREADS) -> None:
        self.mutex = mutex
        self.queue = WaitQueue(machine, name, threads)

    def wait(self, port: Port) -> None:
        """Give the mutex back, wait for a signal, and take the mutex again."""
        note = self.queue.enter(port)  # before the unlock: a signal that comes after that finds it
        self.mutex.unlock(port)
        port.sleep(note)
        self.mutex.lock(port)

    def signal(self, port: Port) -> None:
        """Wake who has waited longest, if anybody waits."""
        note = self.queue.leave(port)
        if note:
            port.wake(note)

    def broadcast(self, port: Port) -> None:
        """Wake all who wait."""
        while note := self.queue.leave(port):
            port.wake(note)
