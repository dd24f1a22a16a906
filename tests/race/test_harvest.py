"""Harvest against shade, by a thread without a P and by one that has one.  (I1, I6; O-15.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.audit import buffers
from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.harvestrace import LoadStore
from mutator.phase import GCmark
from mutator.world import MRECORD, SCHED
from tests.race.running import running
from workbuf.boot import BootWords
from workbuf.buffer import NOBJ, OBJ


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]


class Anyone(CollectorM):
    """The seed's barrier: it asks nobody for a P."""

    def writebarrier_needs_p(self, src: int) -> None:
        """Anything goes."""


class AnyoneLoadStore(LoadStore, Anyone):
    """The same, with a harvest that does not exchange."""


def queued(small: SmallWorld) -> list[int]:
    """Every object that is in some buffer; throws unless every buffer is in one place."""
    words = BootWords(small.machine)
    made = buffers.check(small.world, words, small.boot.allms()).made
    return sorted(words[b + OBJ + i] for b in made for i in range(words[b + NOBJ]))


def without_p(machine: SteppedMachine, m: type[CollectorM]) -> Check:
    """In the stopped world one M harvests; a thread without a P shades an object through a buffer that it has cached."""
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
        assert queued(small) == [x], "the object that was shaded is not queued once"

    return check


@pytest.mark.race(exhaust=True)
def test_without_p(machine: SteppedMachine) -> Check:
    """A harvest by exchange and a barrier that nobody stops never own one buffer both, and lose no entry."""
    return without_p(machine, Anyone)


@pytest.mark.race(strategy="dpor", races=False, fails="a buffer is in two places: full and cached")
def test_load_and_store(machine: SteppedMachine) -> Check:
    """A harvest by load and store takes a buffer that its owner takes too."""
    return without_p(machine, AnyoneLoadStore)


def with_p(machine: SteppedMachine, m: type[CollectorM]) -> Check:
    """A mutator shades an object between two safepoints; another M stops the world, harvests, and starts it."""
    small = SmallWorld(machine, m=m)
    world, model = small.world, small.model
    mutator = model.mutators[0]
    x, _ = small.objects([[1], []])
    machine.poke(world.gcphase, GCmark)
    running(small, model.gcm, mutator)
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
        assert queued(small) == [x], "the object that was shaded is not queued once"

    return check


@pytest.mark.race(exhaust=True)
def test_with_p(machine: SteppedMachine) -> Check:
    """A thread with a P is between two safepoints when its cache is harvested, and holds no buffer in its hand."""
    return with_p(machine, CollectorM)


class Impatient(CollectorM):
    """Asks everybody to stop and does not wait."""

    def stoptheworld(self) -> None:
        """Half of it."""
        self.port.store(self.sched + SCHED.gcwaiting, 1)
        self.preemptall()


@pytest.mark.race(strategy="dpor", fails="in use in the stopped world")
def test_not_stopped(machine: SteppedMachine) -> Check:
    """In a world that still runs a barrier fills the cache again behind the harvest."""
    return with_p(machine, Impatient)
