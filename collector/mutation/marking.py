"""Race programs of what a marker must know: which spans there are, which mark this is, and what is no pointer of its."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.worlds import CONFIG, NIL, SmallWorld
from collector.fusedmark import FusedMark
from collector.gc import GCSTATS
from collector.hunt.worlds import TimelessM
from collector.mutation.race import Race, atonce
from collector.parfor import STATISTICS
from collector.runtime import CollectorM
from mutator.heap import CHECKMARKED, MARKED, MSTATS
from mutator.phase import GCmark, GCoff
from mutator.world import RUNTIME
from workbuf.boot import BootPort
from workbuf.buffer import NOBJ, OBJ
from workbuf.hardware.machine import HardwareMachine
from workbuf.local import MLOCAL
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

GOAL = 1 << 20
OUTSIDE = 1 << 50
"""A pointer that is none into the heap."""
HANDED = 3
"""Handoffs that an M has counted before."""
PARENTS = 2
"""Objects with pointers, in the heap that is verified."""
LARGE = 66
"""Words of an object that leaves some of its last page over."""


class FusedM(FusedMark, CollectorM):
    """An M that marks with the loop."""


def remembering(m: type[CollectorM]) -> Program:
    """An assist is the first that an M marks in a collection: what it remembers of spans is of the one before."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        mutator, port, words = small.model.mutators[0], BootPort(machine), CONFIG.page_size // WORD
        me, boot = m(port, small.world, mutator), small.boot

        def collected(*live: int) -> None:
            machine.poke(small.world.gcphase, GCoff)
            boot.flushallmcaches()
            for p in live:
                port.or8(boot.heapBitsForObject(p)[1], MARKED)
            machine.poke(small.world.heap.mstats + MSTATS.next_gc, GOAL)
            boot.arm_sweep()
            boot.finishsweep_m()
            machine.poke(small.world.gcphase, GCmark)

        def assists(parent: int) -> None:
            b = boot.getempty(460)
            machine.poke(b + OBJ, parent)
            machine.poke(b + NOBJ, 1)
            boot.putfull(b, 358)
            me.gchelpwork()

        def twice() -> None:
            kept = boot.mallocgc(WORD, 1)
            old = boot.mallocgc(words * WORD, 1 << words - 1)
            collected(kept, old)
            assists(old)
            collected(kept)
            # Its pages are those of other objects by now, which have their pointers elsewhere.
            made = small.objects([[1, NIL], [NIL, NIL]])
            assert boot.spanOf(old) == boot.spanOf(made[0]), "the span was not used again"
            machine.poke(small.world.gcphase, GCmark)
            assists(made[0])
            assert boot.heapBitsForObject(made[1])[2] & MARKED, (
                "an assist has scanned an object for what was there before"
            )

        return atonce(twice)

    return program


def verifying(m: type[TimelessM]) -> Program:
    """The verifying mark, with a helper, reaches with its own bit whatever the first one has reached."""

    class Looks(m):  # type: ignore[misc, valid-type]
        newborn = False
        reachable: list[int]

        def marked(self) -> None:
            super().marked()
            if self.port.words[self.runtime + RUNTIME.checkmarkphase]:
                seen = [bool(self.heapBitsForObject(p)[2] & CHECKMARKED) for p in self.reachable]
                assert all(seen), "the verifying mark has not reached an object"

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, replace(CONFIG, mutators=0, helpers=1, checkmark=True), Looks)
        objects = small.objects([[2], [3], [NIL], [NIL]])
        for i in range(2):
            small.global_(i, objects[i])

        machine.poke(small.model.gcm + MLOCAL.nhandoff, HANDED)

        def collects(me: TimelessM) -> None:
            me.reachable = objects  # type: ignore[attr-defined]
            me.checkmark_enabled = True
            me.gcwork(1)
            told(me)
            me.dismissidle()

        machine.spawn(lambda port: Looks(port, small.world, small.model.gcm).mstart(collects), "gc")
        for i, record in enumerate(small.model.helpers):
            machine.spawn(lambda port, record=record: Looks(port, small.world, record).idlem(), f"helper{i + 1}")  # type: ignore[misc]

    return program


def told(me: TimelessM) -> None:
    """What the M that has verified a mark knows afterwards, and says of the mark: by whom how much was scanned."""
    cycle = me.cycle
    assert not me.checkmarking, "an M takes its next mark for a verifying one"
    assert len(me.helping) <= 1, "a helper is listed twice"
    assert len(cycle.scanned) == cycle.nproc, "a marker is forgotten, or one is listed that has not marked"
    assert sum(cycle.scanned) == cycle.scanned_after - cycle.scanned_markterm == PARENTS, "other objects were scanned"
    assert {*cycle.gcstats} == {*GCSTATS, *STATISTICS}, "a counter is not told"
    assert cycle.gcstats["nhandoff"] == HANDED, "a counter tells of another number"
    assert not me.port.words[me.record + MLOCAL.nhandoff], "what was told is counted again"


def fused(m: type[FusedM]) -> Program:
    """The loop that has the methods written out marks on the hardware machine, by one thread, what the methods mark.

    Words may hold what is no pointer into the heap, or one to no object; the verifying mark has its own bit.
    """

    def program(_: SteppedMachine) -> Callable[[], object]:
        machine = HardwareMachine(words=1 << 14)
        small = SmallWorld(machine, replace(CONFIG, mutators=0))
        boot, me = small.boot, m(machine.boot(), small.world, small.model.gcm)
        parent, last = small.objects([[1], [NIL]])
        dead, large = boot.mallocgc(WORD, 0), boot.mallocgc(LARGE * WORD, 0)
        strange = (0, OUTSIDE, small.world.heap.arena_end - WORD, large + LARGE * WORD)
        holds = (*strange, parent, dead)
        first = boot.mallocgc(len(holds) * WORD, (1 << len(holds)) - 1)
        for i, p in enumerate(holds):
            machine.poke(first // WORD + i, p)
        machine.poke(small.world.gcphase, GCmark)

        def marks() -> None:
            for verifying, bit in enumerate((MARKED, CHECKMARKED)):
                machine.poke(small.world.runtime + RUNTIME.checkmarkphase, verifying)
                me.readcheckmark()
                me.refresh_spans()
                b = me.getempty(460)
                machine.poke(b + OBJ, first)
                machine.poke(b + NOBJ, 1)
                scanned = me.scanned
                me.drainworkbuf(b, all=False)
                assert me.scanned == scanned + 2, "the loop has scanned an object twice, or one without pointers"
                lost = [p for p in (parent, last, dead) if not boot.heapBitsForObject(p)[2] & bit]
                assert not lost, "the loop has not marked an object"
                assert not boot.heapBitsForObject(large)[2] & bit, (
                    "the loop has marked what only a stray pointer is near"
                )

        return atonce(marks)

    return program


RACES = {
    "remembering": Race(CollectorM, remembering),
    "fused": Race(FusedM, fused),
    "verifying": Race(TimelessM, verifying),
}
"""By name; the first two have no schedules."""
