"""Scenario: the harvest at the start of the mark, which Go removed as pointless.  (K-33; S15.)

Go's reason was that caches fill in the mark only.  They do not: a goroutine that scans itself in the scan phase leaves
its roots in its own M's cache.  Nothing is lost without the first harvest, because mark termination harvests again; but
what hangs below those roots is scanned while the world stands still.  `failing` has neither harvest.

Modelled.  A goroutine has scanned its stack, which holds a list; a harvest or none, the concurrent mark, mark
termination. Counted.  Objects scanned in mark termination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Cost, Scenario, Variant
from mutator.phase import GCscan
from mutator.world import GSCAN, GWAITING, MRECORD, G


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

LIST = 8
"""Objects."""


class Harvests(Unswept):
    """A mark with harvest, from the end of the scan phase on; returns how many objects mark termination has scanned."""

    def mark(self) -> int:
        """The second and the third stop."""
        self.gcinstallmarkwb()
        self.firstharvest()
        self.gcmark_m()
        before = self.scanned
        self.gc_m()
        return self.scanned - before

    def firstharvest(self) -> None:
        """As in the seed."""
        self.harvestwbufs()


class Removed(Harvests):
    """As after d21cef1f8f."""

    def firstharvest(self) -> None:
        """Pointless."""


class Neither(Removed):
    """Nor is there one in mark termination."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


def marked(m: type[Harvests], scanned: list[float] | None = None) -> Program:
    """A list on the stack of a goroutine that has scanned it; `scanned` is told how many mark termination had to scan."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator = model.mutators[0]
        gp = machine.peek(mutator + MRECORD.curg)
        slot = boot.pushframe(gp, 1, boot.stackmap(1, [0]))
        machine.poke(slot, small.objects([[i + 1] for i in range(LIST - 1)] + [[]])[0])
        small.running(model.gcm)
        boot.flushallmcaches()
        boot.setphase(GCscan)
        boot.resetwork(1)
        machine.poke(gp + G.status, GWAITING | GSCAN)
        m(boot.port, world, mutator).gcphasework(gp)
        machine.poke(gp + G.status, GWAITING)
        show(machine, world)
        count = machine.word(0, "scanned in mark termination")

        def collects(port: Port) -> None:
            port.store(count, m(port, world, model.gcm).mark())

        machine.spawn(collects, "gc")

        def check() -> None:
            if scanned is not None:
                scanned.append(machine.peek(count))
            small.keepsall()

        return check

    return program


SCENARIO = Scenario(
    name="firstharvest",
    title="Without the harvest at the start of the mark nothing is lost, and more is done in the stopped world",
    bugs=("S15", "K-33"),
    variants={
        "failing": Variant(marked(Neither), fails="reachable, and not marked"),
        "fixed": Variant(marked(Removed)),
        "seed": Variant(marked(Harvests)),
    },
    kind=SOUND,
    costs=(
        Cost(
            "objects scanned in the stopped world, of 8 below a scanned stack: without the first harvest, and with it",
            seed=lambda figures: marked(Removed, figures),
            fix=lambda figures: marked(Harvests, figures),
            schedules=1,
        ),
    ),
)
