"""Shrinking: from a failing schedule, finds a simpler one that fails in the same way.

First, threads are muted one by one, and the program's optional items are left out (`machine.skippable`), if it still fails
without them.  Then the deviations from the default schedule are reduced by delta debugging (Zeller and Hildebrandt, 2002):
halves, then finer parts, are left out as long as the rest fails in the same way (`Fault.same`), until no single one can be
left out.  A deviation that cannot be followed any more is passed over.

Leaving out cannot find a schedule that deviates elsewhere.  So two stretches of one thread are joined, across what other
threads did in between, as long as that makes fewer preemptions (Jalbert and Sen, A trace simplification technique, 2010).
If there are few stretches, each is also tried at every other place.
Last, an exhaustive search looks for a schedule with fewer preemptions still, as long as the budget lasts.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from collector.explore.default import Following, Replayer
from collector.explore.machine.carrier import MAIN
from collector.explore.program import run_and_check, set_up
from collector.explore.strategies.base import Options
from collector.explore.strategies.bounded import Exhaustive


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program
    from collector.explore.token import Token

    Deviation = tuple[int, int]


RUNS = 3_000
"""Schedules that shrinking may run."""
FEW = 20
"""Stretches of which each is tried at every place."""
SECONDS = 10.0
"""Seconds that it may take, and no more than the search was given."""
LEAST = 2.0
"""But at least these."""


class Shrinker:
    """Makes one failing schedule smaller."""

    def __init__(
        self,
        machine: SteppedMachine,
        program: Program,
        invariants: Sequence[Invariant],
        fault: Fault,
        stop: Callable[[], bool] = lambda: False,
        seconds: float = SECONDS,
    ) -> None:
        self.machine = machine
        self.program = program
        self.invariants = invariants
        self.fault = fault
        self.stop = stop
        self.runs = 0
        self.preemptions = 0
        """In the last schedule that failed in the same way."""
        self.trail: list[int] = []
        """That schedule."""
        self.spans: dict[int, tuple[int, int]] = {}
        """Where in it the optional items were done."""
        self.until = perf_counter() + seconds

    def fails(self, deviations: Sequence[Deviation]) -> list[Deviation] | None:
        """What is left of `deviations` when they fail in the same way; None if they do not."""
        if not self.allowed():
            return None
        machine = self.machine
        check = set_up(machine, self.program, self.invariants)
        deviating = Replayer(machine, deviations)
        fault = run_and_check(machine, deviating.pick, deviating.draw, check)
        if not self.fault.same(fault):
            return None
        self.preemptions = deviating.preemptions
        self.trail, self.spans = machine.trail[:], dict(machine.left.spans)
        return deviating.used

    def fails_after(self, trail: Sequence[int]) -> list[Deviation] | None:
        """The deviations of the schedule that follows `trail` as far as it can, if that fails in the same way."""
        if self.spent:
            return None
        machine = self.machine
        check = set_up(machine, self.program, self.invariants)
        following = Following(machine, trail)
        if not self.fault.same(run_and_check(machine, following.pick, following.draw, check)):
            return None
        return self.fails(following.used)

    def allowed(self) -> bool:
        """Is there budget for one more run?"""
        self.runs += 1
        return not self.spent

    @property
    def spent(self) -> bool:
        """Is there no budget left?"""
        return self.runs > RUNS or perf_counter() >= self.until or self.stop()

    def smaller(self, token: Token) -> Token:
        """The token of a smaller schedule than the token's, that fails in the same way."""
        deviations = tuple(self.shrink(token.deviations))
        out = tuple(sorted(self.machine.muted)), tuple(sorted(self.machine.left.out))
        return replace(token, deviations=deviations, muted=out[0], left_out=out[1])

    def shrink(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """As few of them, or of others, as it takes."""
        best = self.fails(deviations)
        if best is None:
            return list(deviations)
        best = self.fewer_switches(self.fewer_deviations(self.fewer_items(self.fewer_threads(best))))
        best = self.fewer_deviations(self.fewer_items(best))
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
                if self.spent:
                    return best  # a trail may have deviations by the ten thousand: to go on costs more than a run
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
        for t in range(len(machine.names)):
            before = machine.muted
            machine.leave_out(before | {t}, machine.left.out)
            fewer = self.fails_after(without(self.trail, t))
            if fewer is None:
                machine.leave_out(before, machine.left.out)
            else:
                best = fewer
        return best

    def fewer_items(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """Leave out optional items, the last one first; they stay in `machine.left.out`."""
        left = self.machine.left
        best = list(deviations)
        for item in sorted(self.spans, reverse=True):
            begin, end = self.spans.get(item, (0, 0))
            part = self.trail[begin:end]
            thread = next((entry for entry in reversed(part) if entry >= 0), MAIN)
            before = left.out
            self.machine.leave_out(self.machine.muted, before | {item})
            fewer = self.fails_after([*self.trail[:begin], *without(part, thread), *self.trail[end:]])
            if fewer is None:
                self.machine.leave_out(self.machine.muted, before)
            else:
                best = fewer
        return best

    def fewer_switches(self, deviations: Sequence[Deviation]) -> list[Deviation]:
        """Bring stretches of a thread together where that makes fewer preemptions, or as many and fewer deviations."""
        best, size = list(deviations), (self.preemptions, len(deviations))
        candidates = reordered(self.trail)
        while (trail := next(candidates, None)) and self.allowed():
            kept = self.trail, self.spans
            fewer = self.fails_after(trail)
            if fewer is not None and (self.preemptions, len(fewer)) < size:
                best, size = fewer, (self.preemptions, len(fewer))
                candidates = reordered(self.trail)
            else:
                self.trail, self.spans = kept
        self.preemptions = size[0]
        return best


def without(trail: Sequence[int], thread: int) -> list[int]:
    """The trail without the steps of that thread and the values that it chose."""
    return [entry for part in stretches(trail) if part[0] != thread for entry in part]


def stretches(trail: Sequence[int]) -> list[list[int]]:
    """The parts of a trail in which one thread runs; a value goes with the step that chose it."""
    parts: list[list[int]] = []
    for entry in trail:
        if parts and (entry < 0 or entry == parts[-1][0]):
            parts[-1].append(entry)
        else:
            parts.append([entry])
    return parts


def joined(trail: Sequence[int]) -> Iterator[list[int]]:
    """Every trail in which one stretch of a thread comes right after its stretch before, or that one right before it."""
    parts = stretches(trail)
    for i, part in enumerate(parts):
        j = next((j for j in range(i + 1, len(parts)) if parts[j][0] == part[0]), 0)
        if j:
            before, between, after = parts[:i], parts[i + 1 : j], parts[j + 1 :]
            for order in ([*before, part, parts[j], *between, *after], [*before, *between, part, parts[j], *after]):
                yield [entry for stretch in order for entry in stretch]


def moved(trail: Sequence[int]) -> Iterator[list[int]]:
    """Every trail in which one stretch comes at another place, if there are few."""
    parts = stretches(trail)
    if len(parts) > FEW:
        return
    for i, part in enumerate(parts):
        rest = [*parts[:i], *parts[i + 1 :]]
        for j in range(len(parts)):
            if j != i:
                yield [entry for stretch in (*rest[:j], part, *rest[j:]) for entry in stretch]


def reordered(trail: Sequence[int]) -> Iterator[list[int]]:
    """Every trail that is tried to make fewer preemptions."""
    yield from joined(trail)
    yield from moved(trail)
