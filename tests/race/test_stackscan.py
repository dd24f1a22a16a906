"""The scan bit, which protects a stack from the second of two scanners.  (K-14.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.scenarios.scansyscall import Watched, scan
from mutator.world import G


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine


class Bitless(Watched):
    """Takes the scan bit by a load and a store."""

    def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
        if self.readgstatus(gp) != old:
            return False
        self.port.store(gp + G.status, new)
        return True


@pytest.mark.race(strategy="dpor", fails="has not got its stack back")
def test_bitless(machine: SteppedMachine) -> Callable[[], object] | None:
    """A scan bit that is not taken by a swap overwrites what the goroutine has become meanwhile."""
    return scan(Bitless)(machine)
