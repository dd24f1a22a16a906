"""The three pauses of a spin loop on real threads.  (Go: procyield, osyield, usleep.)

Theory of operation.  procyield spins for a few hundred nanoseconds without giving the processor away, since the thread that
it waits for is expected to be done by then.  On a build with a GIL that thread cannot run during the spin.  So the spin is
short, and the caller's next stage, osyield or usleep, lets the other thread run; in a loop that only spins, the
interpreter's switch interval does.  osyield and usleep release the GIL for the length of the system call.

Relied on.  Every pause of a port ends in its `check`, so that no spin loop outlives an aborted run.
"""

from __future__ import annotations

import os
import time
from itertools import repeat
from typing import TYPE_CHECKING

from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable


def spin(n: int) -> None:
    """`n` turns of an empty loop, 10 to 30 ns each: about what a PAUSE instruction takes."""
    for _ in repeat(None, n):
        pass


def _give_way() -> None:
    """The nearest thing to sched_yield where the system has none."""
    time.sleep(0)


sched_yield: Callable[[], None] = getattr(os, "sched_yield", _give_way)
"""Let the system run another thread, if one is ready."""


def pauser(check: Callable[[], None]) -> Callable[[Pause, int], None]:
    """`Port.pause` for the thread whose `check` this is."""

    def pause(kind: Pause, n: int) -> None:
        if kind is Pause.PROCYIELD:
            spin(n)
        elif kind is Pause.OSYIELD:
            sched_yield()
        else:
            time.sleep(n / 1e6)
        check()

    return pause
