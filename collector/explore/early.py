"""Pauses that end early: tells whether it matters that a pause lasts until another thread has written.

A real pause is over after a while, whether anything has changed or not.  On the stepped machine it lasts until another
thread has overwritten something that its thread has read (`machine.threads`).  That loses nothing if the loop around it
comes back to the same pause in the same state as long as nothing changes.  It does where the loop gives up after some
turns: the schedules in which it has given up while others stood still would never be run.

So each situation in which a thread was seen to wait in a pause (`machine.wait`) is tried: the schedule is run again to
there, and then the thread goes alone, its pauses ending at once, as often as is allowed.  If it comes to take other steps,
pauses are counted on, and the search begins again with pauses that may end early: each is a choice, up to that number per
thread.  Trying takes a share of the search; what is left of it is tried when the search is over.

Not modelled.  Situations are told apart by what lies on the surface.  Where there are too many, or a loop takes the same
steps turn after turn but not from the same state, so that it may do something else when it ends, the claim says what was
assumed.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto
from time import perf_counter
from typing import TYPE_CHECKING

from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from collector.explore.program import run_and_check, set_up
from collector.explore.state.whole import States


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.wait import Wait
    from collector.explore.program import Invariant, Program


EARLY = 3
"""Pauses of each thread that may end early, where that matters."""
STEPS = 1_000
"""Steps from one pause to the next after which it has left its loop."""
TRIES = 3
"""Situations of each place that are tried at once;"""
SHARE = 8
"""of others one for so many schedules,"""
MOST = 100
"""and of each place so many at most, also when the search is over."""


class Lasting(Enum):
    """What comes of it when a pause ends early."""

    SAME = auto()
    """The same state again."""
    MATTERS = auto()
    """Other steps."""
    UNKNOWN = auto()
    """Neither; or what comes behind the pause has to wait for a lock or a note."""


class Alone:
    """Picks a trail, and then one thread alone, whose pauses end at once."""

    def __init__(self, states: States, trail: Sequence[int], thread: int, most: int) -> None:
        self.states = states
        self.machine = states.machine
        self.trail = trail
        self.thread = thread
        self.most = most
        """Turns of its loop."""
        self.seen: set[int] = set()
        """What the thread had read when it was in the pause last; the first time, also what it has read before its loop."""
        self.state = b""
        """There, the first time; empty if something in it cannot be looked into."""
        self.turns = 0
        self.first: list[tuple[int, int]] = []
        """Kinds and cells of its steps in the first turn,"""
        self.steps: list[tuple[int, int]] = []
        """and in this one."""
        self.found = Lasting.UNKNOWN

    def pick(self, _i: int) -> int:
        """See `Execution.run`."""
        machine, t = self.machine, self.thread
        at = len(machine.trail)
        if at < len(self.trail):
            return self.trail[at] if self.trail[at] in machine.runnable else MAIN
        threads = machine.threads
        if machine.flags[t] & PAUSED and not machine.stale[t]:
            seen = set(machine.seen[t])
            machine.stale[t] = True
            threads.refresh(t)
            if self._over(seen):
                return MAIN
        if self.turns and t in machine.runnable and len(self.steps) < STEPS:
            self.steps.append((machine.kinds[t], machine.addrs[t]))
            return t
        if self.steps or self.turns > 1:
            self.found = Lasting.MATTERS
        return MAIN

    def _over(self, seen: set[int]) -> bool:
        """The thread, having read that, is in a pause that has just ended: is it known what comes of it?"""
        if not self.turns:
            self.state = self.states.now().digest
        elif not seen <= self.seen or self.steps != (self.first or self.steps):
            self.found = Lasting.MATTERS
        elif self.turns == 1 and self.state and self.states.now().digest == self.state:
            self.found = Lasting.SAME
        self.first, self.steps = self.first or self.steps, []
        self.seen = seen
        self.turns += 1
        return self.found is not Lasting.UNKNOWN or self.turns > self.most

    def draw(self, _i: int, _n: int) -> int:
        """See `Execution.run`."""
        at = len(self.machine.trail)
        return ~self.trail[at] - 1 if at < len(self.trail) else 0


class Early:
    """Knows whether pauses matter in one program."""

    def __init__(self, program: Program, invariants: Sequence[Invariant], allowed: int) -> None:
        self.program = program
        self.invariants = invariants
        self.allowed = allowed
        """Pauses of each thread that may end early."""
        self.found: Counter[object] = Counter()
        """Situations of each place."""
        self.tried: set[Wait] = set()
        self.untried: dict[Wait, Sequence[int]] = {}
        """Those that are left, and the way there."""
        self.states: dict[SteppedMachine, States] = {}
        """Of each machine: what was found out about a program's code is kept from schedule to schedule."""
        self.unknown = False
        """Of some it is not known that it does not matter, or they are too many."""

    @property
    def assumed(self) -> bool:
        """Is there a situation of which it is not known that it does not matter?"""
        return self.unknown or bool(self.untried)

    def matters(self, machine: SteppedMachine, schedules: int, until: float, *, done: bool) -> bool:
        """Do pauses matter in the last schedule, or another one of the `schedules` that were run?

        By the clock `perf_counter`, none is tried after `until`.
        """
        waits = machine.execution.waits
        if not waits and not self.untried:
            return False
        trail, late = machine.trail[:], machine.execution.late
        for wait, at in waits.items():
            if wait in self.tried or wait in self.untried:
                continue
            if self.found[wait.place] == MOST:
                self.unknown = True
                continue
            self.found[wait.place] += 1
            self.untried[wait] = trail[:at]
        affordable = len(self.untried) if done else TRIES * len(self.found) + schedules // SHARE - len(self.tried)
        for _ in range(0 if late else affordable):
            if not self.untried or perf_counter() > until:
                break
            if self._matters(machine, next(iter(self.untried))):
                return True
        return False

    def _matters(self, machine: SteppedMachine, wait: Wait) -> bool:
        trail, (thread, _) = self.untried.pop(wait), wait.place
        self.tried.add(wait)
        check = set_up(machine, self.program, self.invariants)
        if machine not in self.states:
            self.states[machine] = States(machine)
        alone = Alone(self.states[machine], trail, thread, max(1, self.allowed))
        fault = run_and_check(machine, alone.pick, alone.draw, check)
        if alone.turns and (fault or machine.has_ended(thread)):
            alone.found = Lasting.MATTERS
        self.unknown = self.unknown or alone.found is not Lasting.SAME
        return self.allowed > 0 and alone.found is Lasting.MATTERS
