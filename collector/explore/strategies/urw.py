"""Uniform random walk (URW): a thread's chance is proportional to its remaining steps, so interleavings are equally likely.

With fixed numbers of steps, the interleavings that begin with a step of t are in the ratio of t's remaining steps to
all remaining ones; drawing by that ratio draws an interleaving uniformly (Zhao, Wolff, Mathur and Roychoudhury,
Selectively uniform concurrency testing, 2025).  Blocking and loops make it approximate: the numbers of steps are
running means over the schedules before; the first schedule is a plain random walk.

A spawned thread's steps are not counted to its parent before it exists.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from collector.explore.strategies.base import Sampler


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


class URW(Sampler):
    """Random walk weighted by remaining steps."""

    name = "urw"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.means: list[float] = []
        self.runs = 0

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, random = machine.runnable, self.rng.random
        left = defaultdict(lambda: 1.0, enumerate(self.means))

        def pick(_i: int) -> int:
            if len(runnable) == 1:
                t = runnable[0]
            else:
                weights = [w if (w := left[t]) > 1.0 else 1.0 for t in runnable]
                at = random() * sum(weights)
                for t, weight in zip(runnable, weights, strict=True):  # noqa: B007  t is what is looked for
                    at -= weight
                    if at < 0.0:
                        break
            left[t] -= 1.0
            return t

        return pick, self.draw

    def end(self, machine: SteppedMachine, /) -> None:
        """Learn how many steps each thread took."""
        self.runs += 1
        while len(self.means) < len(machine.names):
            self.means.append(1.0)
        for t in range(len(machine.names)):
            self.means[t] += (machine.trail.count(t) - self.means[t]) / self.runs
