"""Allocation in mark termination by the collector's own M, as the runtime itself may: what is born there must be marked.

The object lives from the end of that collection to the end of the next one, by the last word of bss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.cycle import Cycle
from mutator.phase import GCmarktermination
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Newborn(Cycle):
    """The M that collects, and allocates an object in every mark termination if `newborn`."""

    newborn = False

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.born = 0
        """The object that this M has allocated in the mark termination under way."""

    def setuproots(self, nthr: int) -> int:
        """Allocate, unless this is the verifying mark."""
        words = self.port.words
        if self.newborn and words[self.gcphase] == GCmarktermination and not words[self.checkmarkphase]:
            self.born = self.mallocgc(WORD, 1)
        return super().setuproots(nthr)

    def collected(self) -> None:
        """Let the object live from now on by a global word."""
        if self.newborn:
            self.port.words[self.world.bss.base + self.world.bss.n - 1] = self.born
        super().collected()
