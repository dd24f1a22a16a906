"""The check that a program is deterministic: some schedules are run a second time, and every step must be the same.

The first run logs each step: who takes it, and what it is (`collector.explore.prefix`).  The second run makes the same
picks.  This is done with schedules 1, 2, 16, 128, and then with every EVERYth.  Before a proof is claimed the first schedule
is run again several times, which finds caches that were filled later and values that are often the same.  Each time Python's
objects come to lie elsewhere (`collector.explore.scatter`), which finds what depends on that.  If the first schedule draws
from Python's own random generator, that generator's state tells.

A difference that shows in none of these runs is not found, so a claim says how many steps were compared.
"""

from __future__ import annotations

import random
import sys
from operator import length_hint
from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.fault import Refused
from collector.explore.machine.site import innermost
from collector.explore.prefix import CURE, announced, following
from collector.explore.program import run_and_check, set_up
from collector.explore.scatter import Scatter


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Taken
    from collector.explore.program import Check, Invariant, Program

EVERY = 128
"""One schedule in so many is run again."""
TIMES = 12
"""Before a proof the first schedule is run again so often,"""
STEPS = 2_000
"""or until that has taken so many steps."""


class Log:
    """The steps of one schedule, and how it ended."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.limit = machine.execution.limit
        self.steps: list[Taken] = []
        self.trail: list[int] = []
        self.memory: list[int] = []

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self.steps.append((t, announced(self.machine, t)))

    def end(self) -> None:
        """All threads have ended."""
        self.trail, self.memory = self.machine.trail[:], self.machine.memory.words[:]

    @property
    def repeatable(self) -> bool:
        """All scheduling choices were the strategy's, and none was made by fair scheduling."""
        return len(self.trail) < self.limit

    @property
    def writes(self) -> bool:
        """Has any step written memory?"""
        return any(step[0] >= ops.STORE for _, step in self.steps)


class Again:
    """Picks what a log says, and compares."""

    def __init__(self, log: Log, machine: SteppedMachine) -> None:
        self.log = log
        self.machine = machine
        self.left = iter(log.steps)
        self.pick = following(machine, self.left, self._goes_on)

    @property
    def compared(self) -> int:
        """Steps."""
        return len(self.log.steps) - length_hint(self.left)

    def _goes_on(self, i: int) -> int:
        """There are more steps than there were."""
        frame = (self.machine.frame(i) if i >= 0 else None) or sys._getframe()  # noqa: SLF001  as in `prefix.refuse`
        self.machine.execution.refuse(
            f"not the same twice: it ended after {self.compared} steps, and now goes on after the same choices; {CURE}",
            innermost(frame),
        )

    def draw(self, _i: int, _n: int) -> int:
        """See `Execution.run`."""
        return ~self.log.trail[len(self.machine.trail)] - 1


class Determinism:
    """Watches an exploration."""

    def __init__(self, program: Program, invariants: Sequence[Invariant]) -> None:
        self.program = program
        self.invariants = invariants
        self.first: Log | None = None
        self.next = 1
        """Number of the schedule that is run again next."""
        self.compared = 0
        """Steps."""
        self.scatter = Scatter()

    def log(self, machine: SteppedMachine, number: int) -> Log | None:
        """A log of the schedule of that number, counted from 1, if it is to be run again; the machine is set up."""
        return Log(machine) if number >= self.next else None

    def check(self, log: Log, machine: SteppedMachine) -> None:
        """The schedule of `log` has run to its end, and passed: run it again.  Raises Refused."""
        log.end()
        self.next = min(8 * self.next, self.next + EVERY) if self.first else 2
        if self.first:
            self.rerun(log, machine)
            return
        self.first = log
        # Of the first alone: to ask the generator for its state takes as long as half a schedule.
        drawn = random.getstate()
        self.rerun(log, machine)
        if random.getstate() != drawn:
            raise Refused(f"not the same twice: it draws from Python's random; {CURE}")

    def before_proof(self, machine: SteppedMachine) -> None:
        """Everything else has been seen: run the first schedule again.  Raises Refused."""
        if self.first is None:
            return
        before = self.compared
        for _ in range(TIMES):
            self.rerun(self.first, machine)
            if self.compared - before >= STEPS:
                break

    def scattered(self, machine: SteppedMachine) -> Check | None:
        """The program, with its objects elsewhere: what the last run kept has been freed, and is not to be found again."""
        self.scatter()
        return self.program(machine)

    def rerun(self, log: Log, machine: SteppedMachine) -> None:
        """The same picks again."""
        if not log.repeatable:
            return
        check = set_up(machine, self.scattered, self.invariants)
        again = Again(log, machine)
        fault = run_and_check(machine, again.pick, again.draw, check)
        self.compared += again.compared
        how = ""
        if fault:
            how = f"it passed, and now fails: {fault.kind}: {fault.message}"
        elif again.compared < len(log.steps):
            how = f"it took {len(log.steps)} steps, and now {again.compared}"
        elif machine.memory.words != log.memory:
            a = next(
                (a for a, pair in enumerate(zip(machine.memory.words, log.memory, strict=False)) if pair[0] != pair[1]),
                0,
            )
            cells = (
                f"{machine.name(a)} ended as {log.memory[a]}, and now as {machine.memory.words[a]}"
                if a
                else "its memory grew"
            )
            how = cells
        if how:
            raise Refused(f"not the same twice: {how} after the same choices; {CURE}", fault.where if fault else "")
