"""Selectively uniform random walk (SURW): draws uniformly among the interleavings of the steps on one chosen cell.

One shared cell is drawn per schedule, among those that the schedules before saw touched by two threads and written.
The order of its steps is drawn as in a uniform random walk, by how many each thread has left: a thread is *intended*,
and another that comes to such a step waits until the intended one has taken its own.  Everything else is a random walk.
So the order of a few steps that matter is not diluted by the many that do not (Zhao, Wolff, Mathur and Roychoudhury,
Selectively uniform concurrency testing, 2025).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from collector.explore.machine.ops import STORE
from collector.explore.strategies.base import Sampler


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


class SURW(Sampler):
    """A uniform random walk over one cell's steps."""

    name = "surw"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.runs = 0
        self.counts: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        """Cell to thread to steps taken there, over all schedules."""
        self.written: set[int] = set()
        self.shared: list[int] = []
        """The cells to draw from."""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, kinds, addrs = machine.runnable, machine.kinds, machine.addrs
        random, counts, written = self.rng.random, self.counts, self.written
        cell = self.rng.choice(self.shared) if self.shared else 0
        left = {t: count / self.runs for t, count in self.counts[cell].items()} if cell else {}
        held: set[int] = set()
        intended = self._intend(left)

        def pick(_i: int) -> int:
            nonlocal intended
            free = [t for t in runnable if t not in held] if held else runnable
            while True:
                if not free:
                    # The intended thread cannot come, or will not: draw another one, let everybody try again.
                    held.clear()
                    intended = self._intend(left, runnable)
                    free = runnable
                t = free[int(random() * len(free))]
                if addrs[t] != cell or not cell:
                    break
                if t == intended or len(runnable) == 1:
                    left[t] = left.get(t, 1.0) - 1.0
                    held.clear()
                    intended = self._intend(left)
                    break
                held.add(t)
                free = [u for u in runnable if u not in held]
            counts[addrs[t]][t] += 1
            if kinds[t] >= STORE:
                written.add(addrs[t])
            return t

        return pick, self.draw

    def _intend(self, left: dict[int, float], among: list[int] | None = None) -> int:
        """A thread drawn by how many steps on the cell it has left."""
        threads = list(left) if among is None else among
        if not threads:
            return -1
        weights = [max(left.get(t, 1.0), 0.01) for t in threads]
        return self.rng.choices(threads, weights)[0]

    def end(self, _machine: SteppedMachine, /) -> None:
        """Learn which cells are shared."""
        self.runs += 1
        if self.runs & (self.runs - 1) == 0:
            self.shared = sorted(a for a in self.written if a and len(self.counts[a]) > 1)
