"""getfull, the termination barrier: never early, never stuck.  (go-spec.md sections 7.8 and 20; I10.)

Work is a closed pool of buffers (`collector.scenarios.pool`).  Whoever is told that all is over looks at the empty list,
and looking is a step: an end that comes too early then shows in every interleaving equivalent to one where it does.
That it always ends is what exhausting without a livelock says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.scenarios.latedecrement import LateDecrement
from collector.scenarios.pool import pool
from workbuf.getfull import Getfull


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Check = Callable[[], object] | None


class Looking(Getfull):
    """Looks at the empty list when all is over."""

    def getfull(self, entry: int) -> int:
        b = super().getfull(entry)
        if not b:
            self.port.hint(self.work_empty)
        return b


class LateLooking(Looking, LateDecrement):
    """The same, decrementing after the pop."""


@pytest.mark.race(exhaust=True)
def test_two(machine: SteppedMachine) -> Check:
    """Two participants, one buffer and one that its holder publishes."""
    return pool(Looking, 2, 1)(machine)


@pytest.mark.race(exhaust=True)
def test_three(machine: SteppedMachine) -> Check:
    """Three participants and one buffer."""
    return pool(Looking, 3, 0)(machine)


@pytest.mark.race(strategy="exhaustive", exhaust=True, preemptions=1)
def test_three_publishing(machine: SteppedMachine) -> Check:
    """Three participants, one buffer and one that its holder publishes: all schedules with one preemption.

    There are 457,800 inequivalent ones in all, for some minutes of DPOR.
    """
    return pool(Looking, 3, 1)(machine)


@pytest.mark.race(seconds=3, schedules=100_000)
def test_three_sampled(machine: SteppedMachine) -> Check:
    """The same, sampled by everything there is."""
    return pool(Looking, 3, 1)(machine)


@pytest.mark.race(strategy="dpor", fails="ended early")
def test_late_decrement(machine: SteppedMachine) -> Check:
    """A participant that pops before it counts itself out lets the other one end the mark."""
    return pool(LateLooking, 2, 1)(machine)


@pytest.mark.race(schedules=100_000, fails="ended early")
def test_late_decrement_of_three(machine: SteppedMachine) -> Check:
    """So it does with three."""
    return pool(LateLooking, 3, 1)(machine)


class Recounting(Looking):
    """Counts itself in once more at every turn."""

    def backoff(self, turn: int) -> None:
        self.port.xadd(self.work_nwait, 1)
        super().backoff(turn)


@pytest.mark.race(strategy="dpor", fails="livelock")
def test_recounting(machine: SteppedMachine) -> Check:
    """Once nwait has passed nproc, the two are never equal again and all wait for ever."""
    return pool(Recounting, 2, 1)(machine)
