"""Race programs of what is queued, by one thread: each object once, those without pointers never; and whose work it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collector.fixtures.worlds import NIL, SmallWorld
from collector.mutation.marking import OUTSIDE
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.heap import FINALIZER, MARKED, MHEAP
from mutator.phase import GCmark, GCmarktermination
from mutator.world import MRECORD
from workbuf.boot import BootPort
from workbuf.buffer import NOBJ, OBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

OTHER = 2
"""A kind of special that is no finalizer."""
LIMIT = 2
"""Masks that a small table keeps."""


class Marking:
    """A small world in a mark, the M of its mutator, and whether an object is marked."""

    def __init__(self, machine: SteppedMachine, m: type[CollectorM]) -> None:
        self.machine = machine
        self.small = SmallWorld(machine, m=m)
        self.world, self.boot = self.small.world, self.small.boot
        self.work = self.world.work
        mutator = self.small.model.mutators[0]
        self.small.running(mutator)
        self.me = m(BootPort(machine), self.world, mutator)
        machine.poke(self.world.gcphase, GCmark)

    def marked(self, p: int) -> bool:
        """Is it?"""
        return bool(self.boot.heapBitsForObject(p)[2] & MARKED)

    def holding(self, *objects: int) -> int:
        """A buffer that holds these."""
        b = self.boot.getempty(460)
        self.machine.poke(b + NOBJ, len(objects))
        for i, obj in enumerate(objects):
            self.machine.poke(b + OBJ + i, obj)
        return b


def alone(marks: Callable[[Marking], None], m: type[CollectorM]) -> Program:
    """What one thread does in such a world."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        marking = Marking(machine, m)
        return atonce(lambda: marks(marking))

    return program


def shading(marking: Marking) -> None:
    """A barrier queues an object once, one without pointers never, in the M's cache, but in mark termination."""
    machine, me, new = marking.machine, marking.me, marking.boot.mallocgc
    white, dead, last = new(WORD, 1), new(WORD, 0), new(WORD, 1)
    for p in (white, white, dead):
        me.shade(p)
        assert marking.marked(p), "an object was shaded, and is not marked"
        b = machine.peek(me.currentwbuf) // WORD
        assert b, "the M that has shaded an object does not cache the buffer"
        assert machine.peek(b + NOBJ) == 1, "an object is queued twice, or one that has no pointers"
    machine.poke(marking.world.gcphase, GCmarktermination)
    me.shade(last)
    assert not machine.peek(me.currentwbuf), "a buffer is cached that nobody will look for"
    assert machine.peek(me.poppartial(504) + NOBJ) == 2, "what was shaded is in no list"


def scanning(marking: Marking) -> None:
    """The object around an address is scanned, and nothing is where there is none."""
    parent, child = marking.small.objects([[1, NIL], [NIL]])
    me, b = marking.me, marking.holding()
    for nowhere in (OUTSIDE, marking.world.heap.arena_end - WORD):
        assert me.scanobject(nowhere, b) == b, "another buffer comes back than was given"
    assert not marking.machine.peek(b + NOBJ), "something was found where no object is"
    me.scanobject(parent + WORD, b)
    assert marking.marked(child), "an object was scanned from inside, and what it points to is not marked"


def assisting(marking: Marking) -> None:
    """An assist scans as many objects as a buffer holds, from whatever buffers there are; what is left is others' work."""
    machine, me = marking.machine, marking.me
    told = [me.record + field for field in (MRECORD.scanned, MRECORD.assisted)]
    objects = marking.small.objects([[2], [3], [NIL], [NIL]])
    for parent in objects[:2]:
        marking.boot.putfull(marking.holding(parent), 358)
    me.gchelpwork()
    assert all(map(marking.marked, objects[2:])), "an assist has left work that it had time for"
    assert [machine.peek(at) for at in told] == [2, 2], "it is told that other objects were scanned"
    parents = marking.small.objects([[at + 1] for at in range(me.len_obj)] + [[0]])
    marking.boot.putfull(marking.holding(parents[0]), 358)
    me.gchelpwork()
    assert [machine.peek(at) for at in told] == [2 + me.len_obj] * 2, "it is told that other objects were scanned"
    assert not machine.peek(me.currentwbuf), "what an assist has not scanned is left in a cache"
    assert machine.peek(me.popfull(504) + NOBJ) == 1, "what an assist has not scanned is in no list"


def special(marking: Marking) -> None:
    """Of the specials of objects only finalizers are roots."""
    boot, (obj, other, fn, kept) = marking.boot, marking.small.objects([[NIL], [NIL], [NIL], [NIL]])
    boot.addspecial(obj, OTHER, fn)
    boot.addspecial(other, FINALIZER, kept)
    boot.snapshotspans()
    marking.machine.poke(marking.world.gcphase, GCmarktermination)
    boot.markspans(0)
    assert [marking.marked(p) for p in (fn, kept)] == [False, True], "a special counts as a finalizer, or one does not"


def noting(marking: Marking) -> None:
    """An M notes which spans there are, for one collection, and which bits a mask has, for few masks."""
    me, small = marking.me, marking.small
    marking.machine.poke(marking.world.heap.mheap + MHEAP.sweepgen, 2)
    for size in (1, 2):
        assert marking.me.heapBitsForObject(small.boot.mallocgc(size * WORD, 1))[0], "an object is not found"
    assert len(me.spanof) == 2, "a span is looked up each time"
    me.slots.LIMIT = LIMIT
    kept = []
    for mask in range(1, 2 * LIMIT):
        assert me.slots[mask] == tuple(i for i in range(LIMIT) if mask >> i & 1), "a mask has other bits"
        kept.append(len(me.slots))
    assert kept == [1, 2, 1], "a mask is forgotten at once, or never"


RACES = {
    "shading": Race(CollectorM, partial(alone, shading)),
    "scanning": Race(CollectorM, partial(alone, scanning)),
    "assisting": Race(CollectorM, partial(alone, assisting)),
    "special": Race(CollectorM, partial(alone, special)),
    "noting": Race(CollectorM, partial(alone, noting)),
}
"""By name; none has schedules."""
