"""getfull, the termination barrier: never early, never stuck.  (I10; O-24.)

Work is a closed pool of buffers (`collector.fixtures.pool`).  That it always ends is what exhausting it without a
livelock says.  Two participants, and the late decrement of two and of three: the scenario `latedecrement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.fixtures.pool import pool
from collector.scenarios.latedecrement import LateDecrement
from workbuf.getfull import Getfull


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Check = Callable[[], object] | None


@pytest.mark.race(exhaust=True)
def test_three(machine: SteppedMachine) -> Check:
    """Three participants and one buffer."""
    return pool(Getfull, 3, 0)(machine)


@pytest.mark.race(strategy="exhaustive", exhaust=True, preemptions=1)
def test_three_publishing(machine: SteppedMachine) -> Check:
    """Three participants, one buffer and one that its holder publishes: all schedules with one preemption.

    There are more than half a million inequivalent ones in all; `explore latedecrement --variant fixed3 --strategy dpor`
    runs them.
    """
    return pool(Getfull, 3, 1)(machine)


@pytest.mark.race(strategy="exhaustive", exhaust=True, preemptions=1)
def test_three_late(machine: SteppedMachine) -> Check:
    """Three participants, one of whom publishes when the others may be waiting: all schedules with one preemption."""
    return pool(Getfull, 3, 0, late=True)(machine)


@pytest.mark.race(seconds=1, schedules=100_000)
def test_three_sampled(machine: SteppedMachine) -> Check:
    """The same, sampled by everything there is."""
    return pool(Getfull, 3, 1)(machine)


@pytest.mark.race(strategy="dpor", fails="ended early")
def test_late_decrement_of_three(machine: SteppedMachine) -> Check:
    """A participant that pops before it counts itself out lets the others end the mark."""
    return pool(LateDecrement, 3, 0, late=True)(machine)


class Recounting(Getfull):
    """Counts itself in once more when it begins to wait."""

    def backoff(self, turn: int) -> None:
        if turn == 0:
            self.port.xadd(self.work_nwait, 1)
        super().backoff(turn)


@pytest.mark.race(strategy="dpor", fails="livelock")
def test_recounting(machine: SteppedMachine) -> Check:
    """Once nwait has passed nproc, the two are never equal again and all wait for ever."""
    return pool(Recounting, 2, 1)(machine)
