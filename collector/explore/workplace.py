"""What one search leaves to the next one of the same program in the same process.

A search builds a machine, compares the program with itself, and looks at what the program keeps between its runs.  Where one
process does many small searches, as parts of a large one, that costs more than they do, and need not be done again: the
next one goes on where the last one was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.determinism import Determinism
from collector.explore.early import Early
from collector.explore.machine.plainnoted import PlainNoted


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.kept import Kept
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program
    from collector.explore.races.fasttrack import FastTrack


class Workplace:
    """Of searches under the same rules, one after the other, by strategies that are given."""

    def __init__(self, program: Program, invariants: Sequence[Invariant] = (), early: int = 0) -> None:
        """Pauses of each thread that may end `early`, where that matters."""
        self.machines: dict[str, tuple[SteppedMachine, FastTrack]] = {}
        """By the name of the strategy."""
        self.determinism = Determinism(program, invariants)
        self.early = Early(program, invariants, early)
        self.ends_early = 0
        """Pauses of each thread that may end early, from the first search on."""
        self.matters = False
        """They are to, and what was explored here is to be explored again."""
        self.plain = PlainNoted()
        """Were there plain accesses for whose races nobody looks?"""
        self.kept: Kept | None = None
        """What the program held after its first run."""
        self.schedules = 0
        """Of the searches before."""
        self.looked = -1
        """Schedules after which the program was last looked at before a proof."""

    def due(self, schedules: int) -> bool:
        """Is it to be looked at, after so many?  Yes, if it was not, or as many again were run since."""
        if self.looked >= 0 and schedules < 2 * self.looked:
            return False
        self.looked = schedules
        return True

    def close(self) -> None:
        """End what the machines carry; the next search begins with others."""
        for machine, _ in self.machines.values():
            machine.close()
        self.machines.clear()
