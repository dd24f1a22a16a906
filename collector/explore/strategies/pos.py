"""Partial order sampling (POS): every pending step has a random priority, redrawn when a conflicting step is taken.

The runnable step of the highest priority goes; its thread's next step gets a fresh priority, and so does every other
pending step that touches the same cell where one of the two writes (Yuan, Yang and Gu, Partial order aware concurrency
sampling, 2018).  Steps that conflict with nothing keep their place, so schedules spread over partial orders instead of
over interleavings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.ops import STORE
from collector.explore.strategies.base import Drawn, Sampler


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine


class POS(Sampler):
    """Priorities per pending step."""

    name = "pos"

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, kinds, addrs, random = machine.runnable, machine.kinds, machine.addrs, self.rng.random
        priority = Drawn(random)

        def pick(_i: int) -> int:
            if len(runnable) == 1:
                t = runnable[0]
            else:
                t = max(runnable, key=priority.__getitem__)
                a, writes = addrs[t], kinds[t] >= STORE
                for u in runnable:
                    if addrs[u] == a and (writes or kinds[u] >= STORE):
                        priority[u] = random()
            priority[t] = random()
            return t

        return pick, self.draw
