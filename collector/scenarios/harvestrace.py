"""Scenario: a harvest that takes a cached buffer by a load and a store instead of an exchange.  (O-15.)

The harvester reads an M's cache and then zeroes it; the M, which still runs, takes its buffer in between.  Then both own
it, and the second to put it somewhere meets the ownership check, or a list gets it twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.scenario import Scenario, Variant
from mutator.world import MRECORD, RUNTIME
from workbuf.buffer import NOBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class LoadStore(CollectorM):
    """harvestwbufs as the seed's comment wishes it could be."""

    def harvestwbufs(self) -> int:
        """Load, then store 0."""
        port, words = self.port, self.port.words
        for number in range(words[self.runtime + RUNTIME.allmlen]):
            m = words[self.world.allm + number]
            wbuf = port.load(m + MRECORD.currentwbuf) // WORD
            port.store(m + MRECORD.currentwbuf, 0)
            if wbuf:
                if words[wbuf + NOBJ] == 0:
                    self.putempty(wbuf, 945)
                else:
                    self.putfull(wbuf, 947)
        return 0


def harvest(m: type[CollectorM]) -> Program:
    """One M with a cached empty buffer takes it while another harvests."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        owner = model.mutators[0]
        show(machine, world)
        setup = m(small.boot.port, world, owner)
        setup.cache(setup.getempty(1181))

        def take(port: Port) -> None:
            me = m(port, world, owner)
            b = me.takecached()
            if b:
                me.putempty(b, 877)

        machine.spawn(take, "owner")
        machine.spawn(lambda port: m(port, world, model.gcm).harvestwbufs(), "harvester")

        def check() -> None:
            assert machine.peek(owner + MRECORD.currentwbuf) == 0, "the cache is not empty"

        return check

    return program


SCENARIO = Scenario(
    name="harvest",
    title="Harvesting without an exchange gives one buffer two owners",
    bugs=("O-15",),
    variants={
        "failing": Variant(harvest(LoadStore), fails="logput: put not legal", races=False),
        "fixed": Variant(harvest(CollectorM)),
    },
)
