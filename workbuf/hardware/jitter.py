"""Jitter: random short delays before atomics and posted stores, so that rare interleavings become frequent.

Theory of operation.  An atomic is where the protocol's races are decided, and the window before it is a fraction of a
microsecond wide.  With probability `share` a delay is put into it: half of the time a sched_yield, which lets the system
run another thread, half of the time a spin, which does not.  One delay in `DEEP` is a sleep instead, long enough for another
thread to take many steps.  All are drawn from the port's seed, so the same seed gives every thread the same delays; where
the operating system switches threads does not follow from the seed.

or8 is not delayed.  A marker sets a mark for each object, far more often than it does any other atomic, and the mark is the
same whoever sets it first; with a GIL each delay costs a round of all other threads, and a concurrent mark took five times
as long.

Not modelled.  Jitter at plain accesses and hints: those are the array's own C functions, and stay so.
"""

from __future__ import annotations

from random import Random
from time import sleep
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from workbuf.hardware.binding import Operations
from workbuf.hardware.pauses import sched_yield, spin


if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

SPIN_MAX = 200
"""Turns of the longest spin, some microseconds."""
DEEP = 16
"""One wait in so many is a sleep."""
DEEP_S = 2e-4
"""Seconds of such a sleep, at least."""


def jittered(
    operations: Operations, post: Callable[[int, int], None], share: float, seed: int
) -> tuple[Operations, Callable[[int, int], None]]:
    """The same operations and `post`, each but or8 preceded by a wait with probability `share` (0 to 1)."""
    random = Random(seed).random

    def late(operation: Callable[P, T]) -> Callable[P, T]:
        def dawdling(*args: P.args, **kwargs: P.kwargs) -> T:
            if random() < share:
                wait = random()
                if wait * DEEP < 1:
                    sleep(DEEP_S)
                elif wait < 0.5:
                    sched_yield()
                else:
                    spin(int((wait - 0.5) * 2 * SPIN_MAX))
            return operation(*args, **kwargs)

        return dawdling

    late_operations = Operations(
        load=late(operations.load),
        store=late(operations.store),
        cas=late(operations.cas),
        xchg=late(operations.xchg),
        xadd=late(operations.xadd),
        or8=operations.or8,
    )
    return late_operations, late(post)
