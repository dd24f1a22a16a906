"""The carrier that runs the stepped machine's threads on operating-system threads, one at a time.

Theory of operation.  Each thread has a gate, a lock that is held.  Handing control from i to t releases t's gate and waits
at i's; the value passed lies beside the gate.  So exactly one thread runs at any time, steps and picks are the same as on
greenlets, and a token replays identically on both.

While a machine has this carrier its process is pinned to one CPU: a hand-over to another core costs five times as much.

Relied on.  A lock may be released by another thread than the one that has taken it, and orders what each of them did.
"""

from __future__ import annotations

import os
import sys
from threading import Lock, Thread
from typing import TYPE_CHECKING

from collector.explore.machine.carrier import CLOSE, MAIN


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Gate:
    """Where one thread waits for control, and what it is handed."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.lock.acquire()
        self.handed = MAIN

    def wait(self) -> int:
        """Wait for control.  An interrupt waits too: until then somebody else is running."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                self.lock.acquire()
                break
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt:
            raise interrupt
        return self.handed

    def open(self, handed: int) -> None:
        """Hand control to whoever waits here."""
        self.handed = handed
        self.lock.release()


class OSThreads:
    """Threads on operating-system threads."""

    switches = False

    def __init__(self) -> None:
        self.gates = [Gate()]
        """One per thread, and the loop's at the end."""
        self.threads: list[Thread] = []
        self.goto: list[Callable[[int], int]] = [self._to(self.gates[MAIN])]
        self.affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        if self.affinity:
            # Before any thread is made: they inherit it.
            os.sched_setaffinity(0, {min(self.affinity)})

    def _to(self, target: Gate) -> Callable[[int], int]:
        def goto(i: int) -> int:
            mine = self.gates[max(i, MAIN)]
            target.open(i)
            return mine.wait()

        return goto

    def add(self, life: Callable[[], None]) -> None:
        gate = Gate()

        def run() -> None:
            if gate.wait() != CLOSE:
                life()
            self.gates[MAIN].open(CLOSE)

        thread = Thread(target=run, name=f"baton {len(self.threads)}", daemon=True)
        thread.start()
        self.gates.insert(len(self.gates) - 1, gate)
        self.goto.insert(len(self.goto) - 1, self._to(gate))
        self.threads.append(thread)

    def fresh(self, _t: int) -> None:
        """Nothing: an operating-system thread has one context for all its life."""

    def frame(self, t: int) -> FrameType | None:
        ident = self.threads[t].ident
        return sys._current_frames().get(ident) if ident else None  # noqa: SLF001  the only way to another's frame

    def ident(self, t: int) -> int:
        return self.threads[t].ident or 0

    def handled(self, t: int) -> BaseException | None:
        found = sys._current_exceptions().get(self.threads[t].ident or 0)  # noqa: SLF001  as above
        return found[1] if isinstance(found, tuple) else found

    def close(self) -> None:
        for goto, thread in zip(self.goto, self.threads, strict=False):
            goto(CLOSE)
            thread.join()
        if self.affinity:
            os.sched_setaffinity(0, self.affinity)
