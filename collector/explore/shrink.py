"""Shrinking: of the schedules that fail in the same way, one that deviates as little as possible from the default.

Theory of operation.  Delta debugging (Zeller and Hildebrandt, 2002) over the deviations: halves, then finer parts, are
left out as long as the rest still fails in the same way (`Fault.same`), until no single one can be left out.  Trying a
part is tolerant: a deviation that cannot be followed any more is passed over.  Before that, threads are muted one by one:
if it fails without what a thread does, that thread is no part of the story.  Leaving out cannot find a schedule that
deviates elsewhere, so in between an exhaustive search looks for one with fewer preemptions, for as long as the budget
lasts.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from collector.explore.default import Deviating, Following
from collector.explore.running import run_and_check, set_up
from collector.explore.strategies.base import Options
from collector.explore.strategies.bounded import Exhaustive


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.fault import Fault
    from collector.explore.machine import SteppedMachine
    from collector.explore.running import Invariant, Program

    Deviation = tuple[int, int]


RUNS = 3_000
"""Schedules that shrinking may run."""
SECONDS = 10.0
"""Seconds that it may take."""


class Shrinker:
    """Makes one failing schedule smaller."""

    def __init__(
        self, machine: SteppedMachine, program: Program, invariants: Sequence[Invariant], fault: Fault
    ) -> None:
        self.machine = machine
        self.program = program
        self.invariants = invariants
        self.fault = fault
        self.runs = 0
        self.preemptions = 0
        """In the last schedule that failed in the same way."""
        self.trail: list[int] = []
        """That schedule."""
        self.until = perf_counter() + SECONDS

    def fails(self, deviations: Sequence[Deviation]) -> list[Deviation] | None:
        """What is left of `deviations` when they fail in the same way; None if they do not."""
        if not self.allowed():
            return None
        machine = self.machine
        check = set_up(machine, self.program, self.invariants)
        deviating = Deviating(machine, deviations)
        fault = run_and_check(machine, deviating.pick, deviating.draw, check)
        if not self.fault.same(fault):
            return None
        self.preemptions = deviating.preemptions
        self.trail = machine.trail[:]
        return deviating.used

    def fails_after(self, trail: Sequence[int]) -> list[Deviation] | None:
        """The deviations of the schedule that follows `trail` as far as it can, if that fails in the same way."""
        machine = self.machine
        check = set_up(machine, self.program, self.invariants)
        following = Following(machine, trail)
        if not self.fault.same(run_and_check(machine, following.pick, following.draw, check)):
            return None
        return self.fails(following.used)

    def allowed(self) -> bool:
        """Is there budget for one more run?"""
        self.runs += 1
        return self.runs <= RUNS and perf_counter() < self.until

    def shrink(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """As few of them, or of others, as it takes."""
        best = self.fails(deviations)
        if best is None:
            return list(deviations)
        best = self.fewer_deviations(self.fewer_threads(best))
        found = self.fewer_preemptions()
        return best if found is None else self.fewer_deviations(found)

    def fewer_deviations(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """Leave out all that can be left out."""
        best = list(deviations)
        if best and (fewer := self.fails([])) is not None:
            return fewer
        parts = 2
        while len(best) > 1 and parts <= len(best):
            for part in range(parts):
                begin, end = len(best) * part // parts, len(best) * (part + 1) // parts
                fewer = self.fails([*best[:begin], *best[end:]])
                if fewer is not None:
                    best, parts = fewer, max(parts - 1, 2)
                    break
            else:
                if parts >= len(best):
                    break
                parts = min(parts * 2, len(best))
        return best

    def fewer_preemptions(self) -> list[Deviation] | None:
        """A schedule that fails in the same way with fewer preemptions than the last one that did, if there is time."""
        if not self.preemptions:
            return None
        machine = self.machine
        search = Exhaustive(Options(preemptions=self.preemptions - 1))
        while not search.done and self.allowed():
            check = set_up(machine, self.program, self.invariants)
            if self.fault.same(run_and_check(machine, *search.begin(machine), check)):
                return self.fails_after(machine.trail[:])
            search.end(machine)
        return None

    def fewer_threads(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """Leave out whole threads, as long as it still fails in the same way; they stay in `machine.muted`.

        Not where the check at the end has failed: it expects what all threads do, and fails without them of itself.
        """
        machine = self.machine
        best = list(deviations)
        if self.fault.kind == "check":
            return best
        for t in range(len(machine.bodies)):
            before = machine.muted
            machine.muted = before | {t}
            fewer = self.fails_after([entry for entry in self.trail if entry != t])
            if fewer is None:
                machine.muted = before
            else:
                best = fewer
        return best
