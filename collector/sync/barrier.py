"""A central barrier: nobody leaves `wait` before all have come, again and again.

Theory of operation.  Threads count themselves in.  The last one sets the count back and then begins the next round, which
is what the others spin on (Mellor-Crummey and Scott, Algorithms for Scalable Synchronization, 1991; their sense, which
is turned round in each round, is the lowest bit of the number of the round).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.machine import Pause


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


class Barrier:
    """For `parties` threads, the same in every round."""

    def __init__(self, machine: Machine, parties: int, name: str = "barrier") -> None:
        self.parties = parties
        self.arrived, self.round = machine.word(0, f"{name}.arrived"), machine.word(0, f"{name}.round")

    def wait(self, port: Port) -> None:
        """Wait until all have come."""
        now = port.load(self.round)
        if port.xadd(self.arrived, 1) == self.parties:
            self.release(port, now)
        while port.load(self.round) == now:
            port.pause(Pause.OSYIELD, 1)

    def release(self, port: Port, now: int) -> None:
        """All have come in round `now`."""
        port.store(self.arrived, 0)  # before the others go on: they may be back at once
        port.store(self.round, now + 1)
