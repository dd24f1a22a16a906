"""Stopping and starting the world while two mutators run.  (I5, I13.)"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.runtime import CollectorM
from mutator.world import GRUNNING, GSYSCALL, PSYSCALL, SCHED, P
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Program = Callable[[CollectorM, int], None]


def between(me: CollectorM, inside: int) -> None:
    """What a mutator does between two safepoints."""
    me.port.store(inside, 1)
    me.port.store(inside, 0)


def polls(me: CollectorM, inside: int) -> None:
    """Comes by a safepoint."""
    between(me, inside)
    me.poll()


def calls(me: CollectorM, inside: int) -> None:
    """Makes a system call."""
    between(me, inside)
    me.entersyscall()
    me.exitsyscall()


def blocks(me: CollectorM, inside: int) -> None:
    """Makes a system call that lasts until the stopper has started the world again."""
    between(me, inside)
    me.entersyscall()
    while not me.stop_requested():
        me.port.pause(Pause.USLEEP, 1)
    me.exitsyscall()


def stop_and_start(machine: SteppedMachine, m: type[CollectorM], *programs: Program) -> None:
    """One M stops the world, looks whether anybody is between two safepoints, and starts it; mutators run meanwhile."""
    small = SmallWorld(machine, replace(CONFIG, mutators=len(programs)), m)
    world, model = small.world, small.model
    inside = [machine.word(0, f"inside{i}") for i in range(len(programs))]
    small.running(model.gcm, *model.mutators)
    show(machine, world, "full")

    def stops(port: Port) -> None:
        gc = m(port, world, model.gcm)
        gc.stoptheworld()
        for cell in inside:
            assert port.load(cell) == 0, "a mutator runs in the stopped world"
        gc.starttheworld()
        port.store(gc.stopping, 1)

    def mutates(number: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            me = m(port, world, model.mutators[number])
            programs[number](me, inside[number])
            between(me, inside[number])
            me.releasep()

        return body

    machine.spawn(stops, "gc")
    for number in range(len(programs)):
        machine.spawn(mutates(number), f"mutator{number + 1}")


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize("programs", [(polls, polls), (polls, calls)], ids=["polls", "polls and calls"])
def test_stop_and_start(machine: SteppedMachine, programs: tuple[Program, ...]) -> None:
    """The stopped world has nobody between two safepoints, and everybody gets to the end once it starts."""
    stop_and_start(machine, CollectorM, *programs)


class Impatient(CollectorM):
    """Asks everybody to stop and does not wait."""

    def stoptheworld(self) -> None:
        """Half of it."""
        self.port.store(self.sched + SCHED.gcwaiting, 1)
        self.preemptall()


@pytest.mark.race(strategy="dpor", fails="runs in the stopped world")
def test_impatient(machine: SteppedMachine) -> None:
    """A stop that does not wait for the last mutator has not stopped the world."""
    stop_and_start(machine, Impatient, polls, polls)


class Forgetful(CollectorM):
    """Enters a system call without a second look at whether the world is being stopped."""

    def entersyscall(self) -> None:
        """Half of it."""
        self.p = 0
        self.casgstatus(self.curg, GRUNNING, GSYSCALL)
        self.port.store(self.ownp + P.status, PSYSCALL)


@pytest.mark.race(strategy="dpor", fails="livelock")
def test_forgetful(machine: SteppedMachine) -> None:
    """A P that goes into a system call behind the stopper's back is waited for in vain."""
    stop_and_start(machine, Forgetful, polls, blocks)
