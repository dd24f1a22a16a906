"""Race programs of stacks, by one thread: which are scanned, how often, by whom, and what is asked of their goroutines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collector.fixtures.worlds import SmallWorld
from collector.mutation.heapworld import throws
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.heap import MARKED
from mutator.phase import GCmark, GCoff, GCquiesce, GCscan, GCstw, GCsweep
from mutator.stack import FRAME
from mutator.world import GDEAD, GIDLE, GSCAN, GWAITING, G
from workbuf.boot import BootPort
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

IDLE = (GCoff, GCquiesce, GCstw, GCsweep, GCmark)
"""Phases that ask nothing of a goroutine."""
NO_PHASE = 99


class Stacks:
    """A small world in the scan phase: the collector's M, and a goroutine that waits with one local, `slot`."""

    def __init__(self, machine: SteppedMachine, m: type[CollectorM]) -> None:
        self.machine = machine
        self.small = SmallWorld(machine, m=m)
        world, model = self.small.world, self.small.model
        self.small.running(model.gcm, *model.mutators)
        self.gc = m(BootPort(machine), world, model.gcm)
        self.me = m(BootPort(machine), world, model.mutators[0])
        self.gp = self.me.curg
        self.slot = self.me.call(1)
        self.sets(status=GWAITING)
        machine.poke(world.gcphase, GCscan)

    def sets(self, **fields: int) -> None:
        """Fields of the goroutine."""
        for name, value in fields.items():
            self.machine.poke(self.gp + G.offsets[name], value)

    def field(self, name: str) -> int:
        """One of them."""
        return self.machine.peek(self.gp + G.offsets[name])

    def found(self, does: Callable[[int], object]) -> bool:
        """Does that, with the goroutine, mark an object to which only its local points?"""
        obj = self.small.boot.mallocgc(WORD, 1)
        self.machine.poke(self.slot, obj)
        does(self.gp)
        return bool(self.small.boot.heapBitsForObject(obj)[2] & MARKED)


def alone(does: Callable[[Stacks], None], m: type[CollectorM]) -> Program:
    """What one thread does in such a world."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        stacks = Stacks(machine, m)
        return atonce(lambda: does(stacks))

    return program


def frames(stacks: Stacks) -> None:
    """A stack is scanned once as long as its goroutine does not run, and a frame that is dead is not."""
    scan, continpc = stacks.gc.scanstack, stacks.slot - FRAME.size + FRAME.continpc
    stacks.sets(status=GWAITING | GSCAN)
    stacks.machine.poke(continpc, 0)
    assert not stacks.found(scan), "a dead frame was scanned"
    stacks.machine.poke(continpc, 1)
    stacks.sets(gcscanvalid=0)
    assert stacks.found(scan), "a stack was not scanned"
    assert not stacks.found(scan), "a stack was scanned again, and its goroutine has not run"
    stacks.sets(status=GDEAD | GSCAN, gcscanvalid=0)
    assert not stacks.found(scan), "a dead goroutine's stack was scanned"


def phases(stacks: Stacks) -> None:
    """A goroutine that is asked to do its part does it in the scan phase, and is done at once in those that ask nothing."""
    stacks.sets(status=GWAITING | GSCAN)
    for phase in IDLE:
        stacks.machine.poke(stacks.small.world.gcphase, phase)
        stacks.sets(gcworkdone=0)
        assert not stacks.found(stacks.gc.gcphasework), "a stack was scanned in a phase that asks for no scan"
        assert stacks.field("gcworkdone"), "a goroutine is not done that has nothing to do"
    stacks.machine.poke(stacks.small.world.gcphase, NO_PHASE)
    assert throws("gcphasework in bad gcphase", lambda: stacks.gc.gcphasework(stacks.gp)), "any phase will do"


def requests(stacks: Stacks) -> None:
    """A goroutine that runs is asked to scan itself; if it waits instead, it is scanned, and is not asked any more."""
    gc, gp = stacks.gc, stacks.gp
    stacks.small.running(*stacks.small.model.mutators)
    assert not gc.asked(gp), "a goroutine counts as asked that nobody has asked"
    assert not gc.stopg(gp), "a goroutine was stopped while it runs"
    assert gc.asked(gp), "a goroutine that runs was not asked to scan itself"
    assert stacks.field("preempt"), "a goroutine is asked, and does not look so"
    stacks.sets(status=GWAITING)
    assert stacks.found(gc.scangoroutine), "a goroutine that waits was not scanned"
    assert not stacks.field("preemptscan"), "a request is left standing that was granted by another"
    assert stacks.field("status") == GWAITING, "a goroutine that was scanned is not let go"
    stacks.sets(status=GDEAD)
    gc.restartg(gp)
    assert stacks.field("status") == GDEAD, "a dead goroutine was let go"
    stacks.sets(status=GIDLE, gcworkdone=0)
    assert throws("stopg: gp->atomicstatus is not valid", lambda: gc.stopg(gp)), "any status will do"


RACES = {
    "frames": Race(CollectorM, partial(alone, frames)),
    "phases": Race(CollectorM, partial(alone, phases)),
    "requests": Race(CollectorM, partial(alone, requests)),
}
"""By name; none has schedules."""
