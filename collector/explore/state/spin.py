"""Spin detection: finds a thread that waits in a loop without a pause, warns, and makes it wait as if it paused.

Under a strategy that lets the running thread go on, a thread that waits for another without a pause waits for ever.  So
every LOOK steps the trail is examined.  If the last steps are all one thread's while others could run, it is watched for a
while: after each of its steps that leaves the memory as it was before, the whole state is captured.  If a state repeats with
no other thread running, the thread spins.  It is then made to wait as at a pause, and the machine notes a warning: schedules
that let it spin longer were not explored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.site import innermost
from collector.explore.state.fair import Lassos


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.whole import States


LOOK = 2_000
"""Steps between two looks."""
ALONE = 1_000
"""Steps of one thread in a row that raise suspicion."""
PATIENCE = 200
"""Steps that a suspected thread is watched."""


class Spin:
    """Watches one thread that has run alone for long."""

    def __init__(self, machine: SteppedMachine, states: States) -> None:
        self.machine = machine
        self.states = states
        self.thread = 0
        self.lassos = Lassos(machine, self.states)
        self.memories: set[bytes] = set()
        """What the memory has been since the suspicion; the whole state is captured, which is dear, where that repeats."""
        self.left = 0

    def suspected(self) -> bool:
        """Has one thread run alone for long, although others could?"""
        machine = self.machine
        self.thread = machine.trail[-1]
        if len(machine.runnable) < 2 or machine.trail[-ALONE:].count(self.thread) < ALONE:
            return False
        self.lassos = Lassos(machine, self.states)
        self.memories = {self.states.memory()}
        self.left = PATIENCE
        return True

    def over(self, i: int) -> bool:
        """Is the suspicion settled, thread `i` having come to its next step?"""
        machine = self.machine
        self.left -= 1
        if i != self.thread or self.left == 0:
            return True
        memory = self.states.memory()
        if memory not in self.memories:
            self.memories.add(memory)
            return False
        lasso = self.lassos.visit()
        if lasso is None:
            return False
        where = innermost()  # the thread is in the middle of a step
        where = where and f" at {where}"
        machine.warnings.add(
            f"{machine.names[i]} spins without a pause{where}: it was made to wait until somebody writes what it reads"
        )
        machine.threads.pause(i)
        return True
