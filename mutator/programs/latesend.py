"""Sends an object to a goroutine that has long been blocked, just before the world stops for mark termination.

A blocked goroutine's stack counts as scanned.  If it does not run before mark termination, its stack is not scanned
again, and only the send's own write barrier keeps the object alive (K-16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.chan import CHAN
from mutator.phase import GCmark
from mutator.programs.channel import Channel
from mutator.world import SCHED


if TYPE_CHECKING:
    from mutator.m import M


class LateSend(Channel):
    """The same pairs, whose sender mostly waits until the collector, marking, asks for the world to stop."""

    name = "latesend"
    patience = 3000
    """Looks that it takes between two sends at most."""

    def awaited(self, m: M) -> bool:
        """Has the receiver long been blocked when the mark is about to end?  Or has that not been seen for too long?"""
        port = m.port
        for _ in range(self.patience):
            if port.words[m.gcphase] == GCmark and port.load(m.sched + SCHED.gcwaiting):
                port.lock(self.chan + CHAN.lock)
                blocked = port.words[self.chan + CHAN.recvq] != 0
                port.unlock(self.chan + CHAN.lock)
                return blocked
            if port.hint(m.stackguard):
                return False
        return m.rng.random() < 0.01
