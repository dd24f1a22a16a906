"""The random walk: at every step each runnable thread is equally likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.base import Sampler


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine


class RandomWalk(Sampler):
    """Naive, fair with probability one, and hard to beat on small programs (Thomson et al., 2014)."""

    name = "random"

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, random = machine.runnable, self.rng.random

        def pick(_i: int) -> int:
            n = len(runnable)
            if n == 2:
                return runnable[1 if random() >= 0.5 else 0]  # as int(random() * 2) has it, at half its cost
            return runnable[int(random() * n)] if n > 2 else runnable[0]

        return pick, self.draw
