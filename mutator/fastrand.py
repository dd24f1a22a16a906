"""The runtime's own random numbers, one sequence for each M.  (Go: fastrand1, m.fastrand.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.world import MRECORD
from workbuf.local import Local


if TYPE_CHECKING:
    from workbuf.local import Globals
    from workbuf.machine import Port

FASTRAND_SEED = 0x49F6428A


class Fastrand(Local):
    """Go's shift register, begun from the M's number and the port's seed."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        super().__init__(port, world, record)
        number = self.port.words[self.record + MRECORD.id]
        self.fastrand = (FASTRAND_SEED + number + port.seed & 0xFFFFFFFF) or FASTRAND_SEED

    def fastrand1(self) -> int:
        """The next number, 31 bits."""
        x = self.fastrand
        y = x << 1 & 0xFFFFFFFF
        self.fastrand = y ^ 0x88888EEF if y >> 31 else y
        return self.fastrand
