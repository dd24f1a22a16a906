"""Scenario: a harvest that takes a cached buffer by a load and a store instead of an exchange.  (O-15, I1, I6.)

The harvester reads an M's cache and then zeroes it; the M, which still runs, takes its buffer in between.  Then both own
it, and the second to put it somewhere meets the ownership check, or a list gets it twice.  A comment of the seed wishes
the exchanges away, for a time when there are no barriers in mark termination: `fixed-all-plain` answers that.  Where
every barrier has a P, so that the stop of the world waits for it, plain accesses do, exhausted; a barrier without a P,
or a world that is not stopped, needs the exchange.

Modelled.  One cached buffer, its M, and the harvest: in a running world, and in a stopped one, with a P and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.lists import TakeByStore
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.phase import GCmark
from mutator.world import MRECORD, SCHED
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class LoadStore(CollectorM):
    """harvestwbufs takes caches as the seed's comment wishes it could."""

    def takecachedof(self, m: int) -> int:
        """Load, then store 0."""
        wbuf = self.port.load(m + MRECORD.currentwbuf) // WORD
        self.port.store(m + MRECORD.currentwbuf, 0)
        return wbuf


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


class Anyone(CollectorM):
    """The seed's barrier: it asks nobody for a P."""

    def writebarrier_needs_p(self, src: int) -> None:
        """Anything goes."""


class AnyoneLoadStore(LoadStore, Anyone):
    """The same, with a harvest that does not exchange."""


class PlainTake(TakeByStore, CollectorM):
    """A mutator, or its assist, takes its cached buffer by a load and a store."""


class AllPlain(PlainTake, LoadStore):
    """And so does the harvest."""


class Impatient(CollectorM):
    """Asks everybody to stop and does not wait."""

    def stoptheworld(self) -> None:
        """Half of it."""
        self.port.store(self.sched + SCHED.gcwaiting, 1)
        self.preemptall()


def without_p(m: type[CollectorM]) -> Program:
    """In the stopped world one M harvests; a thread without a P shades an object through a buffer that it has cached."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, z = small.world, small.model.mutators[0]
        x, _ = small.objects([[1], []])
        small.stopped()
        machine.poke(world.gcphase, GCmark)
        setup = m(small.boot.port, world, z)
        setup.cache(setup.getempty(1181))
        show(machine, world)

        def shade(port: Port) -> None:
            me = m(port, world, z)
            me.p = 0
            me.writebarrierptr(world.data.slot(1), x)

        machine.spawn(lambda port: m(port, world, small.model.gcm).harvestwbufs(), "harvester")
        machine.spawn(shade, "z")

        def check() -> None:
            # On full or, too late for this harvest, in the cache (O-1): once in either case.
            assert small.queued() == [x], "the object that was shaded is not queued once"

        return check

    return program


def with_p(m: type[CollectorM]) -> Program:
    """A mutator shades an object between two safepoints; another M stops the world, harvests, and starts it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = model.mutators[0]
        x, _ = small.objects([[1], []])
        machine.poke(world.gcphase, GCmark)
        small.running(model.gcm, mutator)
        show(machine, world)

        def collect(port: Port) -> None:
            gc = m(port, world, model.gcm)
            gc.stoptheworld()
            gc.harvestwbufs()
            assert port.hint(mutator + MRECORD.currentwbuf) == 0, "a cache is in use in the stopped world"
            gc.starttheworld()

        def shade(port: Port) -> None:
            me = m(port, world, mutator)
            me.writebarrierptr(world.data.slot(1), x)
            me.poll()
            me.releasep()

        machine.spawn(collect, "gc")
        machine.spawn(shade, "mutator")

        def check() -> None:
            assert small.queued() == [x], "the object that was shaded is not queued once"

        return check

    return program


SCENARIO = Scenario(
    name="harvest",
    title="Harvesting without an exchange gives one buffer two owners",
    bugs=("O-15",),
    kind=SOUND,
    variants={
        "failing": Variant(harvest(LoadStore), fails="logput: put not legal", races=False),
        "failing-plain-take": Variant(harvest(PlainTake), fails="logput: put not legal", races=False),
        "failing-without-p": Variant(without_p(AnyoneLoadStore), fails="buffer", races=False),
        "failing-not-stopped": Variant(with_p(Impatient), fails="in use in the stopped world"),
        "fixed": Variant(harvest(CollectorM)),
        "fixed-without-p": Variant(without_p(Anyone)),
        "fixed-with-p": Variant(with_p(CollectorM)),
        "fixed-all-plain": Variant(with_p(AllPlain)),
    },
)
