"""A counting semaphore: `release` adds one, `acquire` takes one and waits until there is one.  (Go: runtime/sema.go.)

Theory of operation.  The count is one word, and where there is no need to wait one compare-and-swap or one add does it.
Whoever finds nothing says so in `waiters`, looks once more, and sleeps; `release` adds first and then looks at `waiters`.
Each writes its own word before it reads the other's (Dekker): one of the two sees the other, so no wake-up is lost.  Who is
woken tries again, for another may have been quicker.

Guards.  The queue, by `mutex`, within which `waiters` is the queue's length as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sync.mutex import Mutex
from collector.sync.waitqueue import THREADS, WaitQueue
from workbuf.machine import Pause


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


class Semaphore:
    """Starts at `count`."""

    def __init__(self, machine: Machine, count: int = 0, name: str = "sema", threads: int = THREADS) -> None:
        self.count, self.waiters = machine.word(count, f"{name}.count"), machine.word(0, f"{name}.waiters")
        self.mutex = Mutex(machine, f"{name}.mutex")
        self.queue = WaitQueue(machine, name, threads)

    def tryacquire(self, port: Port) -> bool:
        """Take one if there is one; says whether there was."""
        while count := port.load(self.count):
            if port.cas(self.count, count, count - 1):
                return True
            port.pause(Pause.PROCYIELD, 1)
        return False

    def acquire(self, port: Port) -> None:
        """Take one, waiting until there is one."""
        while not self.tryacquire(port):
            with self.mutex.held(port):
                port.xadd(self.waiters, 1)
                if self.tryacquire(port):
                    port.xadd(self.waiters, -1)
                    return
                note = self.queue.enter(port)
            port.sleep(note)

    def release(self, port: Port) -> None:
        """Add one, and wake one who waits."""
        port.xadd(self.count, 1)
        if port.load(self.waiters):  # after the add: see above
            self.wakeone(port)

    def wakeone(self, port: Port) -> None:
        """Wake who has waited longest, if anybody still waits."""
        with self.mutex.held(port):
            note = self.queue.leave(port)
            if note:
                port.xadd(self.waiters, -1)
        if note:
            port.wake(note)
