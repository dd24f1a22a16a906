"""Coverage of a random search: counts inequivalent schedules, and estimates the chance that the next one is new.

A thread's *past* is a hash of everything that the steps it has taken depend on, directly or indirectly
(`strategies.dpor.dependence`).  Two schedules are equivalent (one Mazurkiewicz trace) exactly if all threads have the same
pasts at the end.  The share of schedules whose trace was drawn once estimates the chance that the next one is new (Good,
1953, after Turing).

Pasts are 64-bit hashes, so two traces in many billions may be taken for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.strategies.dpor.dependence import pending


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine


class Coverage:
    """Tells traces apart, schedule after schedule."""

    def __init__(self) -> None:
        self.times: dict[int, int] = {}
        """Trace to how often it was drawn."""
        self.once = 0
        """Traces that were drawn once."""
        self.schedules = 0
        self.pasts: list[int] = []

    def watching(self, machine: SteppedMachine, pick: Pick, draw: Draw) -> tuple[Pick, Draw]:
        """`pick` and `draw` for the next schedule, watched."""
        pasts = self.pasts
        pasts[:] = range(len(machine.names))
        written: dict[int, int] = {}
        read: dict[int, int] = {}
        """Cell to the past of its last write, and to the sum of those that have read it since."""

        def watched(i: int) -> int:
            t = pick(i)
            if t < 0:
                return t
            step = pending(machine, t)
            cell = step.cell
            depends = [pasts[t], machine.releases, *sorted(written.get(a, 0) for a in step.guard)]
            if cell:
                depends += (written.get(cell, 0), read.get(cell, 0) if step.write else 0)
            if machine.kinds[t] == ops.KILL:
                depends.append(pasts[step.aim])
            past = pasts[t] = hash(tuple(depends))
            if step.write:
                written[cell] = past
                read[cell] = 0
            elif cell:
                read[cell] = read.get(cell, 0) + past
            for a in step.guard:
                if a != cell:
                    read[a] = read.get(a, 0) + past
            if machine.kinds[t] == ops.SPAWN:
                pasts.append(past + 1)
            return t

        def drawn(i: int, n: int) -> int:
            v = draw(i, n)
            pasts[i] = hash((pasts[i], v))
            return v

        return watched, drawn

    def end(self) -> None:
        """The schedule has run to its end."""
        trace = hash(tuple(self.pasts))
        times = self.times[trace] = self.times.get(trace, 0) + 1
        self.once += (times == 1) - (times == 2)
        self.schedules += 1

    @property
    def traces(self) -> int:
        """Different ones drawn."""
        return len(self.times)

    def __str__(self) -> str:
        return f"{self.traces:,} traces, the next one new with a chance of {self.once / max(self.schedules, 1):.1%}"
