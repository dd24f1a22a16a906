"""The four methods through which a mutator calls the collector; the collector's M defines them.

The M of a run (collector/runtime.py) inherits both from the mutator's classes, which call these methods, and from the
collector's, which define them.  A mutator alone has no collector: its phase never leaves GCoff, and of the four only
`gogc` is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.world import MRECORD, RUNTIME
from workbuf.local import Local
from workbuf.throw import Throw


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port


class Hooks(Local):
    """An M that has work buffers and a heap but no collector yet."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.world = world
        self.gcphase = world.gcphase
        self.runtime = world.runtime
        self.working = world.runtime + RUNTIME.bggc_working
        self.ownp = self.port.words[self.record + MRECORD.p]
        """The P that belongs to this M for good, or 0."""
        self.p = self.ownp
        """The P this M holds now: 0 while it is stopped, blocked or in a system call.  Go's m.p."""

    def gogc(self, force: int) -> None:
        """Ask for a collection (0: in the background, if none is under way)."""

    def shade(self, b: int) -> None:
        """Grey the object that holds the byte address `b`."""
        raise Throw("no collector", f"shade({b:#x})")

    def gchelpwork(self) -> None:
        """Do a bounded amount of marking."""
        raise Throw("no collector", "gchelpwork")

    def gcphasework(self, gp: int) -> None:
        """Do what the phase asks of the stopped goroutine `gp`."""
        raise Throw("no collector", f"gcphasework({gp})")
