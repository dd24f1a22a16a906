"""The check that a program is deterministic: some schedules are run a second time, and every step must be the same.

The first run logs each step: the thread, the kind of step, its cell, and the cell's content.  The second run makes the same
picks.  This is done with the first schedule, with those whose number is a power of two, and with every EVERYth.  Before a
proof is claimed the first schedule is run once more, which finds caches that were filled later.  A program that draws from
Python's own random generator is found by that generator's state.

A difference that shows in none of these runs is not found, so a claim says how many steps were compared.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.fault import Refused
from collector.explore.machine.site import innermost
from collector.explore.program import run_and_check, set_up


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program

EVERY = 64
"""One schedule in so many is run again."""
CURE = "a program keeps nothing from run to run, and asks for no chance and no clock (port.choose and port.now do)"


class Step(NamedTuple):
    """What a thread was about to do."""

    thread: int
    kind: int
    cell: int
    value: int
    """What was in the cell."""


def pending(machine: SteppedMachine, t: int) -> Step:
    """What thread `t` is about to do."""
    kind, cell, mem = machine.kinds[t], machine.addrs[t], machine.mem
    return Step(t, kind, cell, mem[cell] if kind in ops.TOUCHING and cell < len(mem) else 0)


def told(machine: SteppedMachine, step: Step) -> str:
    """In words."""
    what = ops.NAMES[step.kind]
    return f"{what} of {machine.name(step.cell)}, which held {step.value}" if step.kind in ops.TOUCHING else what


def compare(machine: SteppedMachine, at: int, now: Step, was: Step) -> None:
    """Refuse the program if the step at that place of the trail is another one than it was after the same choices."""
    if now != was:
        t = now.thread
        where = innermost(machine.frame(t) or sys._getframe())  # noqa: SLF001  the running thread has no other handle
        name = machine.names[t]
        before = f"{machine.names[was.thread]} did" if was.thread != t and was.thread < len(machine.names) else "it was"
        what = f"step {at}: {name} comes to {told(machine, now)}; {before} {told(machine, was)}"
        machine.execution.refuse(f"not the same twice: {what} after the same choices; {CURE}", where)


class Log:
    """The steps of one schedule, and how it ended."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.limit = machine.execution.limit
        self.steps: list[Step] = []
        self.places: list[int] = []
        """Of the steps, in the trail."""
        self.trail: list[int] = []
        self.memory: list[int] = []

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self.places.append(len(self.machine.trail))
        self.steps.append(pending(self.machine, t))

    def end(self) -> None:
        """All threads have ended."""
        self.trail, self.memory = self.machine.trail[:], self.machine.mem[:]

    @property
    def repeatable(self) -> bool:
        """Nobody but the strategy had a say in it."""
        return len(self.trail) < self.limit

    @property
    def writes(self) -> bool:
        """Has any step written memory?"""
        return any(step.kind >= ops.STORE for step in self.steps)


class Again:
    """Picks what a log says, and compares."""

    def __init__(self, log: Log, machine: SteppedMachine) -> None:
        self.log = log
        self.machine = machine
        self.compared = 0

    def pick(self, i: int) -> int:
        """See `Execution.run`."""
        machine, log, k = self.machine, self.log, self.compared
        at = len(machine.trail)
        if k == len(log.steps):
            self._differs(f"it ended after {k} steps, and now goes on", i)
        was = log.steps[k]
        t = was.thread
        if t not in machine.runnable:
            self._differs(
                f"step {at}: {machine.names[t] if t < len(machine.names) else 'a thread'} cannot go, and could", i
            )
        compare(machine, at, pending(machine, t), was)
        self.compared += 1
        return t

    def draw(self, _i: int, n: int) -> int:
        """See `Execution.run`."""
        v = ~self.log.trail[len(self.machine.trail)] - 1
        return min(v, n - 1)

    def _differs(self, how: str, i: int) -> None:
        frame = (self.machine.frame(i) if i >= 0 else None) or sys._getframe()  # noqa: SLF001
        self.machine.execution.refuse(f"not the same twice: {how} after the same choices; {CURE}", innermost(frame))


class Determinism:
    """Watches an exploration."""

    def __init__(self, program: Program, invariants: Sequence[Invariant]) -> None:
        self.program = program
        self.invariants = invariants
        self.first: Log | None = None
        self.compared = 0
        """Steps."""

    def log(self, machine: SteppedMachine, number: int) -> Log | None:
        """A log of the schedule of that number, counted from 1, if it is to be run again; the machine is set up."""
        again = self.first is None or number & (number - 1) == 0 or number % EVERY == 0
        return Log(machine) if again else None

    def check(self, log: Log, machine: SteppedMachine) -> None:
        """The schedule of `log` has run to its end, and passed: run it again.  Raises Refused."""
        log.end()
        self.first = self.first or log
        if log.repeatable:
            drawn = random.getstate()
            self.rerun(log, machine)
            if random.getstate() != drawn:
                raise Refused(f"not the same twice: it draws from Python's random; {CURE}")

    def rerun(self, log: Log, machine: SteppedMachine) -> None:
        """The same picks again."""
        check = set_up(machine, self.program, self.invariants)
        again = Again(log, machine)
        fault = run_and_check(machine, again.pick, again.draw, check)
        self.compared += again.compared
        how = ""
        if fault:
            how = f"it passed, and now fails: {fault.kind}: {fault.message}"
        elif again.compared < len(log.steps):
            how = f"it took {len(log.steps)} steps, and now {again.compared}"
        elif machine.mem != log.memory:
            a = next((a for a, pair in enumerate(zip(machine.mem, log.memory, strict=False)) if pair[0] != pair[1]), 0)
            cells = (
                f"{machine.name(a)} ended as {log.memory[a]}, and now as {machine.mem[a]}" if a else "its memory grew"
            )
            how = cells
        if how:
            raise Refused(f"not the same twice: {how} after the same choices; {CURE}", fault.where if fault else "")

    def before_proof(self, machine: SteppedMachine) -> None:
        """Everything else has been seen: run the first schedule once more.  Raises Refused."""
        if self.first and self.first.repeatable:
            self.rerun(self.first, machine)
