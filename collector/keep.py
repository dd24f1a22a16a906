"""What our collector keeps of a graph: one mark over it, object by object, for the commands that compare.

Theory of operation.  A stress run whose programs, if any, work on structures of their own and leave the loaded graph
alone, so that a traversal of the reader's graph says what must be kept.  The marks of the first cycle are read before
anything is swept.  An object with a finalizer that was found dead is kept too: the sweep queues it.

Relied on.  Only programs that do not rewire: see `BUSY`.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from collector.stress import CollectorM, Stress
from mutator.heap import MARKED


if TYPE_CHECKING:
    from collector.heaps.graph import Graph
    from collector.stress import CycleReport, Plan

BUSY = ("pushpop", "hider", "bintree")
"""Programs that keep barriers busy and the loaded graph as it is."""


class KeepingM(CollectorM):
    """A collector's M that notes the first mark's bits for each object of a graph."""

    keep: Keep | None = None

    def marked(self) -> None:
        """Audit, then note."""
        super().marked()
        if self.keep is not None and self.keep.marks is None and not self.checkmarking:
            self.keep.note(self)


@dataclass(frozen=True)
class Kept:
    """Object i of the graph was marked if `marks[i]`, and survives the sweep if `kept[i]`."""

    marks: bytearray
    kept: bytearray
    load_s: float
    mark_s: float
    report: CycleReport


class Keep(Stress):
    """A run that remembers what its first mark kept of `graph`."""

    def __init__(self, plan: Plan, graph: Graph) -> None:
        self.marks: bytearray | None = None
        began = monotonic()
        super().__init__(plan, graph, KeepingM)
        self.load_s = monotonic() - began

    def equip(self, me: CollectorM) -> None:
        """Tell the M which run it is for."""
        super().equip(me)
        if isinstance(me, KeepingM):
            me.keep = self

    def note(self, m: KeepingM) -> None:
        """Read the mark of every object of the graph.  The world is stopped."""
        assert self.placed is not None
        self.marks = bytearray(m.heapBitsForObject(address)[2] & MARKED != 0 for address in self.placed.address)

    def result(self, graph: Graph) -> Kept:
        """Run, and say what was kept.  Raises the run's failure."""
        self.run()
        assert self.marks is not None
        kept = bytearray(self.marks)
        for i in graph.finalizers.object:
            kept[i] = 1
        stamps = self.reports[0].stats.stamps
        return Kept(self.marks, kept, self.load_s, (stamps["t4"] - stamps["sweepterm"]) / 1e9, self.reports[0])
