"""A wait group: wait until all who were counted in are done, the join of threads that were forked.  (Go: sync.WaitGroup.)

Theory of operation.  How many are not done and how many wait for them stand in one word, so that a waiter is counted only
while there is something to wait for.  Whoever brings the first count to 0 sees in the same word how many it has to wake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sync.semaphore import Semaphore
from collector.sync.waitqueue import THREADS
from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from workbuf.machine import Machine, Port


COUNT = 32
"""The count begins at this bit; below it are the waiters."""
WAITERS = (1 << COUNT) - 1


class WaitGroup:
    """Starts with nobody counted in."""

    def __init__(self, machine: Machine, name: str = "group", threads: int = THREADS) -> None:
        self.state = machine.word(0, f"{name}.state")
        self.sema = Semaphore(machine, 0, f"{name}.sema", threads)

    def add(self, port: Port, n: int = 1) -> None:
        """Count `n` in, or out if it is negative; before the first wait, as those that are counted in begin."""
        state = port.xadd(self.state, n << COUNT)
        count, waiters = state >> COUNT, state & WAITERS
        if count >> COUNT - 1:
            raise Throw("sync: negative WaitGroup counter")
        if count == 0 and waiters:
            port.store(self.state, 0)
            for _ in range(waiters):
                self.sema.release(port)

    def done(self, port: Port) -> None:
        """Count one out."""
        self.add(port, -1)

    def wait(self, port: Port) -> None:
        """Wait until all are done."""
        while (state := port.load(self.state)) >> COUNT:
            if port.cas(self.state, state, state + 1):
                self.sema.acquire(port)
                return
            port.pause(Pause.PROCYIELD, 1)

    def go(self, port: Port, body: Callable[[Port], object], name: str = "") -> None:
        """Start a thread that is counted in, and out when `body` has returned."""
        self.add(port)

        def counted(port: Port) -> None:
            body(port)
            self.done(port)

        port.spawn(counted, name)
