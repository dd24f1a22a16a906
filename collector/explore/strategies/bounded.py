"""Preemption-bounded search: all schedules with no preemption, then with at most one, with at most two, ...

The tree of choices is walked depth first, the running thread first among the alternatives.  Taking another one while
the running thread could go on is a preemption; switching when it waits, ends or pauses is free.  Most faults need few
preemptions, so a growing bound finds short schedules first (Musuvathi and Qadeer, Iterative context bounding, 2007).
When a bound has cut nothing off, everything has been seen.

The memory is one list of alternatives per choice on the current path.  Each bound runs those below it again, which costs
little beside it; they are counted as schedules, because they were run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from collector.explore.claim import Claim, Kind
from collector.explore.machine.threads import PAUSED
from collector.explore.prefix import CURE, refuse_end
from collector.explore.strategies.base import left
from workbuf.counted import counted


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


UNBOUNDED = 1 << 30


class Exhaustive:
    """Depth-first search under a preemption bound."""

    name = "exhaustive"
    observes = False
    floor = 0
    """Choices before this one stay as they are."""

    def __init__(self, options: Options) -> None:
        self.bound = 0
        self.highest = UNBOUNDED if options.preemptions is None else options.preemptions
        self.runs = 0
        """Schedules under the current bound."""
        self.cut = False
        """The bound has cut something off."""
        self.exhausted = False
        self.done = False
        self.path: list[list[int]] = []
        """Alternatives of each choice on the current path."""
        self.index: list[int] = []
        """Which of them is taken."""
        self.at = 0
        """How many of the choices this schedule has come to."""

    @classmethod
    def unbounded(cls, options: Options) -> Self:
        """Plain depth-first search."""
        self = cls(options)
        self.name = "dfs"
        self.bound = self.highest = UNBOUNDED
        return self

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, flags, path, index = machine.runnable, machine.flags, self.path, self.index
        bound = self.bound
        used = self.at = 0

        def choose(alternatives: list[int]) -> int:
            at = self.at
            if at == len(path):
                path.append(alternatives)
                index.append(0)
            elif path[at] != alternatives:
                machine.execution.refuse(
                    f"not the same twice: choice {at} is among threads or values {alternatives}, and was among {path[at]} "
                    f"after the same choices; {CURE}"
                )
            self.at += 1
            return alternatives[index[at]]

        def pick(i: int) -> int:
            nonlocal used
            if len(runnable) == 1:
                return runnable[0]
            if i not in runnable:
                return choose(runnable[:])
            others = [t for t in runnable if t != i]
            if flags[i] & PAUSED:
                return choose([*others, i])
            if used >= bound:
                self.cut = True
                return i
            t = choose([i, *others])
            used += t != i
            return t

        def draw(_i: int, n: int) -> int:
            return choose(list(range(n)))

        return pick, draw

    def end(self, machine: SteppedMachine, /) -> None:
        """On to the next path: the last choice that has an alternative left takes it."""
        self.runs += 1
        if machine.complete and machine.fault is None and self.at < len(self.path):
            refuse_end(machine)
        path, index = self.path, self.index
        while len(path) > self.floor and index[-1] + 1 == len(path[-1]):
            path.pop()
            index.pop()
        if len(path) > self.floor:
            index[-1] += 1
        else:
            self._all_seen()

    def _all_seen(self) -> None:
        """Of the current bound."""
        if not self.cut:
            self.exhausted = self.done = True
        elif self.bound >= self.highest:
            self.done = True
        else:
            self.bound += 1
            self.runs = 0
            self.cut = False

    def outlook(self, _schedules: int, /) -> str:
        """Of the current bound's tree."""
        path = ((index, len(alternatives)) for alternatives, index in zip(self.path, self.index, strict=True))
        outlook = left(self.runs, path)
        return outlook if self.bound == UNBOUNDED else f"{counted(self.bound, 'preemption')}: {outlook}"

    def claim(self, schedules: int, /) -> Claim:
        """Exhausted, or up to which bound."""
        return claimed(self.name, schedules, self.bound, done=self.done, exhausted=self.exhausted)


def claimed(by: str, schedules: int, bound: int, *, done: bool, exhausted: bool) -> Claim:
    """Of a search under growing bounds, or under none: exhausted, or up to which bound.  `done`: with `bound` itself too."""
    if exhausted:
        return Claim(Kind.PROVED, by, number=schedules)
    finished = bound if done else bound - 1
    if bound == UNBOUNDED or finished < 0:
        which = "more are left" if bound == UNBOUNDED else "not even all those without a preemption were run"
        return Claim(Kind.UNDECIDED, by, number=schedules, reason=which)
    return Claim(Kind.BOUNDED, by, number=schedules, bound=finished)
