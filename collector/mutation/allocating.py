"""Race programs of what a goroutine does for itself: it allocates, helps, asks for a collection, calls and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.heap import MSTATS
from mutator.stack import FRAME
from mutator.world import RUNTIME
from workbuf.boot import BootPort
from workbuf.machine import MASK64, WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

FAR, NEAR = (8, 6), (8, 7)
"""The next goal, and what is allocated: more than an eighth is left, and no more than that."""
LARGE = 8 * CONFIG.page_size


def helping(m: type[CollectorM]) -> Program:
    """Whoever allocates helps a collection if it got a fresh span, and asks for one if it is time and none is under way."""

    class Notes(m):  # type: ignore[misc, valid-type]
        helped = asked = 0

        def gchelpwork(self) -> None:
            self.helped += 1

        def gogc(self, force: int) -> None:
            del force
            self.asked += 1

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Notes)
        world, mutator = small.world, small.model.mutators[0]
        small.running(mutator)
        me = Notes(BootPort(machine), world, mutator)

        def allocates(size: int, goal: tuple[int, int], *, working: int = 0, percent: int = 100) -> tuple[int, int]:
            for field, value in zip((MSTATS.next_gc, MSTATS.heap_alloc), goal, strict=True):
                machine.poke(world.heap.mstats + field, value)
            machine.poke(world.runtime + RUNTIME.bggc_working, working)
            machine.poke(world.runtime + RUNTIME.gcpercent, percent)
            me.helped = me.asked = 0
            me.new(size, 1)
            return me.helped, me.asked

        def each() -> None:
            assert allocates(WORD, FAR) == (0, 0), "a goroutine helps or asks although it is not time"
            assert allocates(WORD, NEAR) == (0, 1), "nobody asks for a collection that is due"
            assert allocates(WORD, NEAR, percent=MASK64) == (0, 0), "a collection is asked for that is off"
            assert allocates(WORD, NEAR, working=1) == (0, 0), "a goroutine helps or asks that need not"
            for size in (LARGE, 2 * WORD):
                assert allocates(size, NEAR, working=1) == (1, 0), "a goroutine got a fresh span and does not help"
            assert allocates(WORD, FAR, working=1) == (0, 0), "a goroutine helps that need not"

        return atonce(each)

    return program


def calling(m: type[CollectorM]) -> Program:
    """A frame is empty, whatever lay there before; frames of the same shape have one bitmap."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        me = m(BootPort(machine), small.world, small.model.mutators[0])
        maps = []

        def calls() -> None:
            for _ in range(2):
                first = me.call(2)
                assert [machine.peek(first + i) for i in range(2)] == [0, 0], "a frame is not born empty"
                maps.append(machine.peek(first - FRAME.size + FRAME.localsmask))
                for i in range(2):
                    machine.poke(first + i, WORD)
                me.ret()
            assert maps[0] == maps[1], "each call takes memory for a bitmap that there is"

        return atonce(calls)

    return program


RACES = {"helping": Race(CollectorM, helping), "calling": Race(CollectorM, calling)}
"""By name; neither has schedules."""
