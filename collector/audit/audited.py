"""The M with audits: runs every audit after every mark, in the stopped world.

The protocol calls `marked` when a mark is complete and nothing has been swept, and `rootsscanned` when the concurrent scan
has executed its root jobs; here both run audits.  An audit only reads memory, so audits make pauses longer and change
nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from collector.audit import buffers, counters, whylost
from collector.audit.traverse import Traversal
from collector.audit.violation import Violation
from collector.cycle import Cycle
from collector.roots import ROOT_COUNT
from mutator.world import RUNTIME
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.audit.traverse import Reach
    from mutator.world import World
    from workbuf.machine import Port


class Audited(Cycle):
    """The collector's M with all audits on.  `reach` is what the last one counted."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.reach: Reach | None = None
        self.places: buffers.Places | None = None

    def marked(self) -> None:
        """Audit the finished mark."""
        try:
            self._audit()
        except Violation as found:
            # A heap that is broken may not be there to be walked; what was found must be told all the same.
            with suppress(IndexError, KeyError, ValueError, Throw):
                found.path = None if self.checkmarking else whylost.nearest(self.world, self.port.words, self.allms())
            raise

    def _audit(self) -> None:
        words = self.port.words
        counters.checkbarrier(self.world, words)
        self.rootsscanned()
        self.places = buffers.check(self.world, words, self.allms())
        buffers.checkdrained(self.places, words)
        if not self.checkmarking:
            self.reach = Traversal(self.world, words).check()

    def rootsscanned(self) -> None:
        """Each root job of the scan ran once (I12)."""
        words = self.port.words
        n = ROOT_COUNT + words[self.runtime + RUNTIME.allglen]
        counters.checkroots(words, self.world.rootcounts, n)
