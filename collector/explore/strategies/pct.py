"""Probabilistic concurrency testing (PCT): random thread priorities, with d - 1 random priority changes.

The runnable thread of the highest priority goes.  A fault that needs d ordered events is found in one schedule with a
chance of at least 1 / (n * k^(d-1)) for n threads and k steps (Burckhardt, Kothari, Musuvathi and Nagarakatte, 2010). k
is the longest schedule seen.  A thread that pauses goes to the bottom, free of charge: it has said itself that others
should run.

Priorities alone are unfair.  A schedule that grows ten times longer than any before goes on as a random walk, as Coyote's
does, so a waiting loop without a pause is no hang.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.threads import PAUSED
from collector.explore.strategies.base import Drawn, Sampler


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


LADDER = (2, 3, 4, 5)
"""Depths to go round."""
TAIL = 10
"""Lengths of the longest schedule after which the rest is a random walk."""


class PCT(Sampler):
    """Priorities with change points."""

    name = "pct"

    def __init__(self, options: Options, depths: tuple[int, ...] = LADDER) -> None:
        super().__init__(options)
        self.depths = (options.depth,) if options.depth else depths
        self.runs = 0
        self.longest = 20

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, trail, flags, random = machine.runnable, machine.trail, machine.flags, self.rng.random
        depth = self.depths[self.runs % len(self.depths)]
        priority = Drawn(lambda: 1.0 + random())
        longest = max(self.longest, depth)
        changes = set(self.rng.sample(range(1, longest), depth - 1))
        tail = TAIL * longest
        lowest = 0.0

        def pick(i: int) -> int:
            nonlocal lowest
            n = len(runnable)
            if n == 1:
                return runnable[0]
            at = len(trail)
            if at >= tail:
                return runnable[int(random() * n)]
            if i >= 0 and (flags[i] & PAUSED or at in changes):
                lowest -= 1.0
                priority[i] = lowest
            return max(runnable, key=priority.__getitem__)

        return pick, self.draw

    def end(self, machine: SteppedMachine, /) -> None:
        """Learn how long schedules are."""
        self.runs += 1
        if self.runs == 1:
            self.longest = len(machine.trail)
        elif len(machine.trail) < TAIL * self.longest:
            self.longest = max(self.longest, len(machine.trail))
