"""Two watchdog threads: one fails a run that makes no progress, one ends a process whose main thread hangs.

Theory of operation.  The watchdog reads counters; it never waits without a limit for a lock that a worker may hold.  When
the workers make no progress for too long, that is the run's failure, reported with every thread's stack.  The last resort
is for a main thread that hangs, in a write to a full pipe, say: it prints every stack as the interpreter's own fault handler
does, and exits the process at once.

Relied on.  A main thread that waits in a system call still runs the handlers of signals.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Protocol, Self

from collector.audit.violation import Violation
from mutator.phase import GCoff
from workbuf.events import PHASE_NAMES
from workbuf.hardware.limits import Shortage, threads
from workbuf.hardware.starting import StartedThread
from workbuf.local import WORK


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.stress.interrupts import Interrupts
    from mutator.world import World
    from workbuf.hardware.machine import HardwareMachine

MONITORS = 2
"""Threads of this module."""
STEP_SECONDS = 0.1
END_SECONDS = 60.0
"""What the end of an interrupted run may take in all."""
SAY_SECONDS = 5.0
"""What the printing of the stacks may take."""
STDERR = 2
INTERRUPTED, VIOLATION, STUCK = 130, 1, 2


class Run(Protocol):
    """The run that is monitored."""

    machine: HardwareMachine
    world: World

    @property
    def threads(self) -> Sequence[str]:
        """Their names."""

    @property
    def phase(self) -> str:
        """Of the collector."""

    def progress(self) -> int:
        """A number that grows while the workers make progress."""


class Monitor(StartedThread):
    """A thread that checks something every now and then, while it is entered."""

    def __init__(self, name: str, of: Run) -> None:
        super().__init__(name)
        self.of = of
        self.over = Event()

    def __enter__(self) -> Self:
        """Raises Shortage."""
        try:
            self.start()
        except (RuntimeError, MemoryError) as error:
            raise Shortage(threads(0, len(self.of.threads) + MONITORS)) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        """Check until the run is over, or until `check` returns False."""
        while not self.over.wait(STEP_SECONDS) and self.check():
            pass

    def check(self) -> bool:
        """Returns False if that was the last time."""
        raise NotImplementedError


class Watchdog(Monitor):
    """Ends a run that makes no progress for `patience` seconds: a Violation, with every thread's stack.

    Assists scan for as long as mutators allocate, so a phase that lasts `PHASE` times as long counts as none too.
    """

    PHASE = 5

    def __init__(self, of: Run, patience: float) -> None:
        super().__init__("the watchdog", of)
        self.patience = patience
        self.last = -1
        self.phase = ""
        self.since = self.entered = monotonic()

    def check(self) -> bool:
        """Has there been any progress?"""
        progress, phase, now = self.of.progress(), self.of.phase, monotonic()
        if progress != self.last:
            self.last, self.since = progress, now
        if phase != self.phase or phase == PHASE_NAMES[GCoff]:
            self.phase, self.entered = phase, now
        if now - self.since > self.patience:
            return self.hung(f"no progress for {self.patience:.0f} seconds")
        if now - self.entered > self.PHASE * self.patience:
            return self.hung(f"phase {phase} for {self.PHASE * self.patience:.0f} seconds")
        return True

    def hung(self, what: str) -> bool:
        """Make that the run's failure, with the stack of every thread."""
        machine = self.of.machine
        peek, work = machine.peek, self.of.world.work
        stacks = [f"{name}:\n{stack}" for name, stack in machine.stacks().items()]
        text = f"{what} (nwait={peek(work + WORK.nwait)}, nproc={peek(work + WORK.nproc)})"
        machine.fail(self.name, Violation("hang", text, *stacks))
        return False


class LastResort(Monitor):
    """Exits the process if the main thread hangs, or does not end after an interrupt.

    `beats` is a number that grows while the main thread makes progress.  It need not grow while that waits for a reader of
    stdout.
    """

    def __init__(
        self,
        of: Run,
        beats: Callable[[], int],
        interrupts: Interrupts,
        patience: float,
        end: float = END_SECONDS,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__("the last resort", of)
        self.beats = beats
        self.interrupts = interrupts
        self.patience = patience
        self.end = end
        self.leave = leave
        self.last = -1
        self.since = monotonic()
        self.asked = 0.0
        self.ending = False
        """From here on `beats` does not grow: the process is ended only after an interrupt."""

    def check(self) -> bool:
        """Does the main thread make progress?"""
        now = monotonic()
        if self.interrupts.count and not self.asked:
            self.asked = now
        if self.asked:
            if now - self.asked < self.end:
                return True
            return self.go(INTERRUPTED, f"interrupted, but the main thread has not ended within {self.end:g} s")
        beats = self.beats()
        if beats != self.last or getattr(sys.stdout, "waiting", False):
            self.last, self.since = beats, now
        if self.ending or now - self.since < self.patience:
            return True
        return self.go(STUCK, f"the main thread has stood still for {self.patience:g} s: does an output take nothing?")

    def go(self, status: int, why: str) -> bool:
        """Print the stacks, in SAY_SECONDS at most, and exit the process."""

        def said() -> None:
            with suppress(OSError):
                os.write(STDERR, f"collector.run stress: {why}\n".encode())
            faulthandler.dump_traceback(STDERR, all_threads=True)

        # In a thread of its own, because writing to stderr may block.
        saying = StartedThread("the last words", said)
        saying.start()
        saying.join(SAY_SECONDS)
        self.leave(VIOLATION if self.of.machine.failure else status)
        return False
