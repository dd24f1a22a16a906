"""Finds out which objects of a graph our collector keeps, for the commands `heap --mark` and `referee`.

It is a stress run whose programs, if any, work on structures of their own (`BUSY`) and leave the loaded graph unchanged, so
a traversal of the graph says what must be kept.  The marks of the first cycle are read before anything is swept.  An object
with a finalizer that was found dead is kept too: the sweep queues it.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from collector.stress.run import Stress, StressM
from mutator.heap import MARKED
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.gc import CycleStats
    from collector.heaps.graph import Graph
    from collector.heaps.stream import Progress
    from collector.stress.run import Plan

BUSY = ("pushpop", "hider", "bintree")
"""Programs that keep barriers busy and the loaded graph as it is."""


class KeepingM(StressM):
    """A collector's M that notes the first mark's bits for each object of a graph."""

    noting: Keep | None = None

    def marked(self) -> None:
        """Note, then audit: what an audit finds must not keep a referee from saying what is missing."""
        if self.noting is not None and self.noting.marks is None and not self.checkmarking:
            self.noting.note(self)
        super().marked()


def keeping(m: type[StressM]) -> type[StressM]:
    """The class `m`, keeping."""
    return KeepingM if m is StressM else type(f"Keeping{m.__name__}", (KeepingM, m), {})


@dataclass(frozen=True)
class Kept:
    """Object i of the graph was marked if `marks[i]`, and survives the sweep if `kept[i]`."""

    marks: bytearray
    kept: bytearray
    load_s: float
    """To place the heap in the model; `mark_s`: to mark it, all phases of the first cycle, without audits."""
    mark_s: float
    barriers: int
    """Times that a mutator's write barrier shaded something."""
    cycles: list[CycleStats]
    """All collections of the run; the marks are those of the first."""
    violation: str
    """What the run's own audits found after the mark; empty if all held."""


class Keep(Stress):
    """A run that remembers what its first mark kept of `graph`."""

    def __init__(self, plan: Plan, graph: Graph, progress: Progress | None = None, m: type[StressM] = StressM) -> None:
        self.marks: bytearray | None = None
        self.first: CycleStats | None = None
        began = monotonic()
        super().__init__(plan, graph, keeping(m), progress)
        self.load_s = monotonic() - began

    def equip(self, me: StressM) -> None:
        """Tell the M which run it is for."""
        super().equip(me)
        if isinstance(me, KeepingM):
            me.noting = self

    def note(self, m: KeepingM) -> None:
        """Read the mark of every object of the graph.  The world is stopped."""
        assert self.placed is not None
        self.first = m.cycle
        self.marks = bytearray(m.heapBitsForObject(address)[2] & MARKED != 0 for address in self.placed.address)

    def result(self, graph: Graph, ticked: Callable[[], object] = lambda: None) -> Kept:
        """Run, and say what was kept.  Raises the run's failure, unless it is what an audit found after the mark.

        `ticked` is called every now and then meanwhile, in the main thread.
        """
        violation = ""
        try:
            self.run(ticked=ticked)
        except Violation as found:
            if self.marks is None:
                raise
            violation = str(found)
        assert self.marks is not None
        assert self.first is not None
        kept = bytearray(self.marks)
        for i in graph.finalizers.object:
            kept[i] = 1
        stamps = self.first.stamps
        mark_s = (stamps["t4"] - stamps["sweepterm"]) / 1e9
        # The first is no report where its own audit has found something.
        cycles = [self.first, *(report.stats for report in self.reports if report.stats is not self.first)]
        return Kept(self.marks, kept, self.load_s, mark_s, self.barriers(), cycles, violation)

    def barriers(self) -> int:
        """Times that a mutator's barrier left a buffer in its M's cache, as it does when it shades in the mark phase."""
        threads = range(1, 1 + len(self.model.mutators))
        return sum(ring.counts[Event.CACHED] for thread, ring in self.recorder.rings.items() if thread in threads)
