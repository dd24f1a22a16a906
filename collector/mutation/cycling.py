"""Race programs of a collection's order: what is done while the world runs, what is left for the stop, what comes after."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.worlds import CONFIG, NIL, SmallWorld
from collector.hunt.worlds import TimelessM
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.heap import MARKED, MSTATS
from mutator.world import MRECORD, RUNTIME, STACK_PREEMPT, G
from workbuf.buffer import NOBJ, OBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

GOGC = 50
CONCURRENT, STOPPED = (
    ("sweepterm", "scan", "installmarkwb", "mark", "markterm", "sweep"),
    ("sweepterm", "markterm", "sweep"),
)
"""The parts of a collection, in their order."""
LEAST = 64
"""Bytes below which the heap is not collected for its size."""


def parts(me: TimelessM, names: Sequence[str]) -> None:
    """What is said of the first collection: which it is, and when each part of it has begun."""
    assert me.cycle.number == 1, "it is told to be another collection"
    assert me.cycle.concurrent == (names is CONCURRENT), (
        "a collection in a stopped world is told to be concurrent, or not"
    )
    assert [*names] == [name for name in me.cycle.stamps if name in CONCURRENT], "a part of it has no beginning"


def ahead(m: type[TimelessM]) -> Program:
    """What can be marked while the world runs is, and not in the last stop: what another M's cache holds, too."""

    class Looks(m):  # type: ignore[misc, valid-type]
        reachable: list[int]
        checked = False

        def rootsscanned(self) -> None:
            super().rootsscanned()
            self.checked = True

        def gc(self, *, eager: bool = False) -> None:
            left = [p for p in self.reachable if not self.heapBitsForObject(p)[2] & MARKED]
            assert self.checked, "the roots were scanned, and nobody was to check that"
            assert not left, "an object could have been marked while the world ran, and was left for the stop"
            super().gc(eager=eager)

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=Looks)
        world, model, boot = small.world, small.model, small.boot
        objects = small.objects([[1], [NIL], [3], [NIL]])
        for i in range(2):
            small.global_(i, objects[2 * i])
        # As if that M had scanned its own stack.
        b = boot.getempty(460)
        machine.poke(b + NOBJ, 1)
        machine.poke(b + OBJ, objects[0])
        boot.port.or8(boot.heapBitsForObject(objects[0])[1], MARKED)
        machine.poke(model.mutators[0] + MRECORD.currentwbuf, b * WORD)

        def collects(me: TimelessM) -> None:
            me.reachable = objects  # type: ignore[attr-defined]
            me.gcwork(0)
            parts(me, CONCURRENT)

        machine.spawn(lambda port: Looks(port, world, model.gcm).mstart(collects), "gc")

    return program


def goals(m: type[TimelessM]) -> Program:
    """A collection sets the next goal by what the heap holds, and is counted."""

    class Looks(m):  # type: ignore[misc, valid-type]
        newborn = False

        def marked(self) -> None:
            super().marked()
            heap, goal = (self.port.words[self.mstats + field] for field in (MSTATS.heap_alloc, MSTATS.next_gc))
            assert heap > LEAST, "nothing is counted that was allocated"
            assert self.cycle.heapstart == heap, "the collection began with another heap"
            assert goal == heap + heap * GOGC // 100, "the goal is another"

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, mutators=0, gcpercent=GOGC, heapminimum=LEAST), Looks)
        small.objects([[]] * (4 * LEAST // WORD))
        small.boot.flushallmcaches()

        def collects(me: TimelessM) -> None:
            me.gcwork(1)
            parts(me, STOPPED)

        machine.spawn(lambda port: Looks(port, small.world, small.model.gcm).mstart(collects), "gc")

        def check() -> None:
            assert machine.peek(small.world.runtime + RUNTIME.numgc) == 1, "a collection is not counted"

        return check

    return program


def sweepsfree(m: type[CollectorM]) -> Program:
    """While the background collector sweeps it can be asked for a further collection."""

    class Looks(m):  # type: ignore[misc, valid-type]
        swept = 0

        def gcwork(self, force: int) -> None:
            """Not what this is about."""

        def bgsweep(self) -> None:
            assert not self.port.load(self.working), "nobody can ask for a collection while the last one is swept"
            self.swept += 1

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Looks)

        def turns() -> None:
            me = small.boot
            me.gogc(0)
            me.background(-1)
            assert me.swept == 1, "a collection is not swept"  # type: ignore[attr-defined]

        return atonce(turns)

    return program


def askedatonce(m: type[CollectorM]) -> Program:
    """Who stops the world asks those that run before it first waits for them."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        model = small.model
        small.running(model.gcm, *model.mutators)
        gp = machine.peek(model.mutators[0] + MRECORD.curg)

        def stops() -> None:
            with suppress(RuntimeError):  # it would sleep
                small.boot.stoptheworld()
            assert machine.peek(gp + G.stackguard) == STACK_PREEMPT, "it waits for a goroutine that it has not asked"

        return atonce(stops)

    return program


RACES = {
    "ahead": Race(TimelessM, ahead),
    "goals": Race(TimelessM, goals),
    "sweepsfree": Race(CollectorM, sweepsfree),
    "askedatonce": Race(CollectorM, askedatonce),
}
"""By name; all are proved in a few schedules."""
