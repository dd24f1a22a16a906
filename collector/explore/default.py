"""The default schedule, and replay of schedules that are stored as deviations from it.

In the default schedule the running thread goes on until it blocks, ends or pauses; then the next runnable one in order of
number goes, round robin; `choose` gives 0.  A schedule is stored as its *deviations* from the default: pairs (place in the
trail, entry there).  A shrunk schedule has few, so its token is short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.machine import SteppedMachine

    Deviations = Sequence[tuple[int, int]]
    """Places in the trail and what is done there instead of the default: a thread, or `~1 - v` for a value v."""


def default(machine: SteppedMachine, i: int) -> int:
    """The thread that goes by default when thread `i` has just announced its step."""
    runnable = machine.runnable
    if i >= 0 and not machine.flags[i] & PAUSED and i in runnable:
        return i
    last = i if i >= 0 else machine.trail[-1] if machine.trail and machine.trail[-1] >= 0 else MAIN
    return next((t for t in runnable if t > last), runnable[0])


class Replayer:
    """Follows the deviations, and the default everywhere else.

    With `strict`, a deviation that cannot be followed stops the schedule and is named in `diverged`; else it is passed over,
    as shrinking needs.  `used` are the deviations that were followed and differ from the default.
    """

    def __init__(self, machine: SteppedMachine, deviations: Deviations, *, strict: bool = False) -> None:
        self.machine = machine
        self.wanted = dict(deviations)
        self.strict = strict
        self.diverged = ""
        self.used: list[tuple[int, int]] = []
        machine.execution.script = self.in_turn
        self.preemptions = 0
        """Times that another thread was picked although the running one could go on."""

    def pick(self, i: int) -> int:
        """See `SteppedMachine.run`."""
        machine = self.machine
        at = len(machine.trail)
        t = default(machine, i)
        wanted = self.wanted.get(at)
        if wanted is None or wanted == t:
            return t
        if wanted in machine.runnable:
            self.used.append((at, wanted))
            self.preemptions += t == i
            return wanted
        if self.strict:
            who = machine.names[wanted] if 0 <= wanted < len(machine.names) else f"thread {wanted}"
            self.diverged = f"at step {at} the schedule wants {who} to go, which cannot go there"
            return MAIN
        return t

    def in_turn(self, usual: int) -> int:
        """The thread that goes where fair scheduling would pick `usual`."""
        at = len(self.machine.trail)
        wanted = self.wanted.get(at, usual)
        if wanted == usual or wanted not in self.machine.runnable:
            return usual
        self.used.append((at, wanted))
        return wanted

    def draw(self, _i: int, n: int) -> int:
        """See `SteppedMachine.run`."""
        at = len(self.machine.trail)
        wanted = self.wanted.get(at)
        if wanted is None:
            return 0
        v = ~wanted - 1
        if 0 <= v < n:
            self.used.append((at, wanted))
            return v
        if self.strict:
            self.diverged = f"at step {at} the schedule wants a value that cannot be chosen there"
            self.machine.abort()
        return 0


class Following:
    """Follows a trail where that is possible, and the default elsewhere; notes the deviations from the default.

    So it turns a trail into deviations, also a trail from which a thread's steps have been removed.
    """

    def __init__(self, machine: SteppedMachine, trail: Sequence[int]) -> None:
        self.machine = machine
        self.left = list(reversed(trail))
        machine.execution.script = self.in_turn
        self.used: list[tuple[int, int]] = []

    def pick(self, i: int) -> int:
        """See `SteppedMachine.run`."""
        machine = self.machine
        usual = default(machine, i)
        t = self.left.pop() if self.left else usual
        if t not in machine.runnable:
            return usual
        if t != usual:
            self.used.append((len(machine.trail), t))
        return t

    def in_turn(self, usual: int) -> int:
        """Who goes where threads go in turn, and that one's turn it is."""
        machine = self.machine
        t = self.left.pop() if self.left else usual
        if t == usual or t not in machine.runnable:
            return usual
        self.used.append((len(machine.trail), t))
        return t

    def draw(self, _i: int, n: int) -> int:
        """See `SteppedMachine.run`."""
        v = ~self.left[-1] - 1 if self.left else 0
        if not 0 <= v < n:
            return 0
        if self.left:
            self.left.pop()
        if v:
            self.used.append((len(self.machine.trail), ~1 - v))
        return v
