"""Scenario: a write barrier by a thread without a P, during mark termination.  (K-1, O-1; #10098, #9884.)

Thread Z runs runtime code on its way out of a system call; the stop of the world does not wait for it.  Its barrier marks X,
and before it queues X the collector reaches X, finds it marked and goes on.  What becomes of X's children depends on when Z
continues:

* it reads mark termination and puts its buffer on partial before the collector's last check: `work.partial != 0`;
* it does so after that check: the mark is over, Y is reachable and white, nothing throws;
* it has read an older phase and leaves the buffer in its M's cache, which has been harvested already: the same loss, and
  the buffer goes into the next cycle (O-1; at the seed only).

Z's read of the phase is a data race, which the explorer would report first; here races are not failures.

Go's fix: code that may run without a P has no barriers (41dbcc19ef), its pointers being roots in another way; a barrier
without a P throws.

Modelled.  A whole mark termination and one barrier.  Not modelled.  The system call that Z comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCmark
from workbuf.local import MLOCAL, WORK
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from collector.runtime import CollectorM
    from workbuf.machine import Port


THROW = "work.partial != 0"
TOO_LATE = "silently lost: X is queued on partial, too late"
ON_FULL = "silently lost: X is queued on full, too late"
HARVESTED = "silently lost: X is queued in a harvested cache"


class Seed(Unswept):
    """The seed: a barrier asks nobody for a P."""

    def writebarrier_needs_p(self, src: int) -> None:
        """Anything goes."""


class Fixed(Unswept):
    """Runtime code without a P stores without a barrier, and does not ask for the phase."""

    def writebarrierptr(self, dst: int, src: int) -> None:
        """Only the store: what Z stores is reachable from elsewhere."""
        self.port.post(dst // WORD, src)


def pless(m: type[CollectorM], *allowed: str) -> Program:
    """X -> Y, X reachable from data; Z stores X in a global while gc() runs.  Fails with any outcome but those allowed."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        x, _ = small.objects([[1], []])
        small.global_(0, x)
        small.stopped()
        machine.poke(world.gcphase, GCmark)
        z = model.mutators[0]
        show(machine, world)
        ended: list[bool] = []  # one entry if the mark came to its end without a throw

        def collect(port: Port) -> None:
            gc = m(port, world, model.gcm)
            try:
                gc.gc_m()
            except Throw as error:
                if error.text not in allowed:
                    raise
            else:
                ended.append(True)

        def barrier(port: Port) -> None:
            me = m(port, world, z)
            me.p = 0
            me.writebarrierptr((world.data.base + 1) * WORD, x)

        machine.spawn(collect, "gc")
        machine.spawn(barrier, "z")

        def check() -> None:
            if not ended:
                return
            if small.lost():
                places = {
                    TOO_LATE: world.work + WORK.partial,
                    ON_FULL: world.work + WORK.full,
                    HARVESTED: z + MLOCAL.currentwbuf,
                }
                came = next((where for where, at in places.items() if machine.peek(at)), "lost, and queued nowhere")
                assert came in allowed, came

        return check

    return program


SCENARIO = Scenario(
    name="pless",
    title="A write barrier by a thread without a P escapes mark termination",
    bugs=("S9", "S10", "S11", "K-1", "O-1", "O-2", "#10098", "#9884", "#9951"),
    variants={
        "failing": Variant(pless(Seed, TOO_LATE, HARVESTED), fails=THROW, races=False),
        "failing-partial": Variant(pless(Seed, THROW, HARVESTED), fails=TOO_LATE, races=False),
        "failing-cache": Variant(pless(Seed, THROW, TOO_LATE), fails=HARVESTED, races=False),
        "fixed": Variant(pless(Fixed)),
    },
)
