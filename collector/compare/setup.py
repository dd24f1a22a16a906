"""What one run of a comparison is to be, whatever the design and the machine; and why it failed, if it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.designs.design import Design
    from collector.heaps.graph import Graph

PROGRAMS = ("pushpop", "hider", "bintree", "longlist")
"""They change what they have allocated, so that the loaded heap is the same in every cycle of every design."""


@dataclass(frozen=True)
class Setup:
    """One run."""

    graph: Graph
    seed: int = 1
    mutators: int = 4
    helpers: int = 2
    programs: tuple[str, ...] = PROGRAMS
    """Mutators take them in turn."""
    cycles: int = 3
    """Concurrent ones; a stopped one follows, in which all helpers mark."""
    wbufsize: int = 0
    """Bytes in a buffer; 0: the design's own."""

    @property
    def lives(self) -> tuple[str, ...]:
        """One program a mutator."""
        return tuple(self.programs[i % len(self.programs)] for i in range(self.mutators))

    def size(self, design: Design) -> int:
        """Bytes in a buffer."""
        return self.wbufsize or design.wbufsize


class Failed(Exception):
    """A run broke an invariant, or did not end."""
