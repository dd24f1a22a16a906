"""Scenario: the phase goes off before the helpers are joined.  (O-25.)

gc() sets the phase to off when its own marking is over, and then waits for the last helper.  It is right because all
helpers have left getfull by then, and the rest of their code reads no phase.  `failing` is a helper that reads it on its
way out: it finds mark termination or off, as it happens.

Modelled.  A master and one helper, from the root jobs on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCmarktermination, GCoff
from workbuf.local import WORK


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class ReadsPhase(Unswept):
    """Asks for the phase when it has drained."""

    def scanblock(self, b: int, n: int, ptrmask: int, wbuf: int) -> int:
        """Of a helper."""
        wbuf = super().scanblock(b, n, ptrmask, wbuf)
        if not self.curg:
            assert self.port.hint(self.gcphase) == GCmarktermination, "the phase is off, and a helper is not done"
        return wbuf


def joined(m: type[Unswept]) -> Program:
    """The master ends the mark and waits for the helper."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        world, model = small.world, small.model
        small.boot.setphase(GCmarktermination)
        small.boot.resetwork(2)
        small.boot.parforsetup(world.markfor, 2, 0, wait=False, body=print)
        show(machine, world)

        def master(port: Port) -> None:
            me = m(port, world, model.gcm)
            me.scanblock(0, 0, 0, 0)
            me.setphase(GCoff)
            port.sleep(world.work + WORK.alldone)

        machine.spawn(master, "master")
        machine.spawn(lambda port: m(port, world, model.helpers[0]).gchelper(), "helper")

    return program


SCENARIO = Scenario(
    name="phaseoff",
    title="The phase may go off before the helpers are joined, because they read it no more",
    bugs=("O-25",),
    variants={
        "failing": Variant(joined(ReadsPhase), fails="a helper is not done", races=False),
        "fixed": Variant(joined(Unswept)),
    },
    kind=SOUND,
)
