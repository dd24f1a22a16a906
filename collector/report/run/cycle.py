"""A finished cycle of a run: what the collector counted, what the audit counted, and what happened in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.report.run.gctrace import gctrace
from workbuf.recorder import Tally


if TYPE_CHECKING:
    from collector.audit.traverse import Reach
    from collector.gc import CycleStats
    from workbuf.recorder import Record


@dataclass(frozen=True)
class CycleReport:
    """One finished cycle, as the collector's M saw it in the stopped world."""

    stats: CycleStats
    reach: Reach
    buffers: int
    seconds: float
    events: list[Record]
    tally: Tally = field(default_factory=Tally)
    """All Ms' together, as they stood in the stopped world."""

    @property
    def line(self) -> str:
        """Go's gctrace line."""
        return gctrace(self.stats)
