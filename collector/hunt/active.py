"""Active testing: a thread is held back between two of its accesses of a cell until another thread has written the cell.

What takes two steps where one is needed fails only if somebody comes in between (Park and Sen, Randomized active atomicity
violation detection, 2008).  The first schedule goes by random priorities and shows which cells several threads write: heads
of lists, bytes of marks, counters.  In the later ones a thread that has just accessed such a cell is held now and then.  It
goes on as soon as another has written the cell, or a little later, or when it has been held for long.

Where the failure says what has gone wrong, it is mostly the cells of that which count: the heads of lists, or marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from collector.explore.strategies.base import Drawn, Sampler


if TYPE_CHECKING:
    from collections.abc import Collection

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options

ACCESSES = frozenset({ops.LOAD, ops.HINT, ops.STORE, ops.POST, ops.CAS, ops.XCHG, ops.XADD, ops.OR8})
"""Behind these a thread may be held: not in a lock, nor asleep."""
HOLDS = 3, 8
"""How often in a schedule, about: behind any access; and where only those count that may write."""
PATIENCE = 300
"""Steps for which a thread is held at most."""
LATER = (1, 1, 16, 128)
"""Fewer steps than one of these it is held on when the cell has been written."""


class Active(Sampler):
    """Holds threads back behind accesses of cells that several write."""

    name = "active"

    def __init__(self, options: Options, fields: Collection[str] = (), *, late: bool = False) -> None:
        """`fields`: names of the cells, or of what they lie in, that count in all but every third schedule.

        `late`: what a thread does behind its write may come too late, so every other schedule holds only there.
        """
        super().__init__(options)
        self.fields = fields
        self.late = late
        self.runs = 0
        self.writers: dict[int, set[int]] = {}
        """By cell."""
        self.accesses = [0, 0]
        """Of cells that several write, in the last schedule; and those of them that may write."""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        runnable, kinds, addrs, flags = machine.runnable, machine.kinds, machine.addrs, machine.flags
        rng, random, writers = self.rng, self.rng.random, self.writers
        contended = {a for a, who in writers.items() if len(who) > 1}
        self.runs += 1
        if self.fields and self.runs % 3:
            names = {a: machine.named(a) for a in contended}
            contended = {a for a, name in names.items() if (name.field or name.record) in self.fields}
        only_writes = self.late and self.runs % 2
        before, accesses = self.accesses[only_writes], [0, 0]
        chance = HOLDS[only_writes] / before if before else 0.0
        self.accesses = accesses
        priority = Drawn(lambda: 1.0 + random())
        lowest, at = 0.0, 0
        held: dict[int, tuple[int, int]] = {}
        """Thread to the cell and the step until which it is held."""
        last, kind, cell = MAIN, ops.PAUSE, 0
        """The step taken last."""

        def over() -> None:
            """Look at the step that has been taken."""
            if kind in ACCESSES:
                writes = kind >= ops.STORE
                if writes:
                    writers.setdefault(cell, set()).add(last)
                    for t, (a, until) in held.items():
                        if a == cell and t != last:
                            held[t] = -1, min(until, at + rng.randrange(rng.choice(LATER)))
                if cell in contended:
                    accesses[0] += 1
                    accesses[1] += writes
                    if writes >= only_writes and random() < chance:
                        held[last] = cell, at + PATIENCE

        def pick(i: int) -> int:
            nonlocal lowest, at, last, kind, cell
            at += 1
            over()
            if i >= 0 and flags[i] & PAUSED:
                lowest -= 1.0
                priority[i] = lowest
            for t, (_, until) in list(held.items()):
                if at >= until:
                    del held[t]
                    priority[t] = 2.0 + random()
            free = [t for t in runnable if t not in held] if held else runnable
            if not free:
                held.clear()
                free = runnable
            t = max(free, key=priority.__getitem__)
            last, kind, cell = t, kinds[t], addrs[t]
            return t

        return pick, self.draw
