"""Scenario: the concurrent mark ends while an assist still holds work.  (K-4; S13.)

gcmark_m waits for its own thread only, so it can end while an assisting mutator scans.  It is right because an assist
has no safepoint inside: the stop that follows waits until it has given what is left to full.  `failing` is an assist
that can be stopped between two objects: what it holds in its hand is on no list and in no cache, and mark termination
ends without it.

Modelled.  The end of a mark: one collector, one assist with a list of three objects in its cache, then the stop and mark
termination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.traverse import Traversal
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCmark
from mutator.world import GRUNNING


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Stoppable(Unswept):
    """Comes by a safepoint before every object that it scans for its assist."""

    def scanobject(self, b: int, wbuf: int) -> int:
        """Only mutators have polls."""
        if self.curg and self.readgstatus(self.curg) == GRUNNING:
            self.poll()
        return super().scanobject(b, wbuf)


def assist(m: type[Unswept]) -> Program:
    """The head of a list is grey, in a mutator's cache; it assists while the collector ends the mark."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = model.mutators[0]
        head = small.objects([[1], [2], []])[0]
        small.global_(0, head)
        small.running(model.gcm, mutator)
        machine.poke(world.gcphase, GCmark)
        setup = m(small.boot.port, world, mutator)
        setup.shade(head)
        setup.flushallmcaches()
        setup.resetwork(1)
        show(machine, world)

        def collects(port: Port) -> None:
            gc = m(port, world, model.gcm)
            gc.gcmark_m()
            gc.stoptheworld()
            gc.gc_m()
            Traversal(world, port.words).check()  # before what was stopped goes on
            gc.starttheworld()

        def assists(port: Port) -> None:
            me = m(port, world, mutator)
            me.gchelpwork()
            me.poll()
            me.goexit()

        machine.spawn(collects, "gc")
        machine.spawn(assists, "mutator")

    return program


SCENARIO = Scenario(
    name="assist",
    title="The concurrent mark can end while an assist holds work, because an assist cannot be stopped",
    bugs=("S13", "K-4"),
    variants={
        "failing": Variant(assist(Stoppable), fails="reachable objects are not marked"),
        "fixed": Variant(assist(Unswept)),
    },
    kind=SOUND,
)
