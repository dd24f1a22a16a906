"""Whole concurrent collections under a program that rewrites the heap, with helpers, schedule after schedule, audited.

Too long to exhaust; sampled by random walk, PCT and POS.  A planted fault says what such samples can find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.fixtures.cycles import cycle
from collector.fixtures.lives import hides, moves, wanders
from collector.runtime import AuditedM
from mutator.phase import GCscan


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Check = Callable[[], object]

PROGRAMS = {"wander": (wanders, wanders), "move and hide": (moves, hides)}


@pytest.mark.race(schedules=100_000, seconds=1)
@pytest.mark.parametrize(
    "strategy",
    [pytest.param(name, marks=pytest.mark.race(strategy=name)) for name in ("random", "pct", "pos")],
)
@pytest.mark.parametrize(
    ("objects", "helpers", "programs"),
    [(5, 1, "wander"), (7, 1, "move and hide"), (12, 2, "wander"), (20, 2, "move and hide")],
)
def test_cycle(machine: SteppedMachine, objects: int, helpers: int, programs: str, strategy: str) -> Check:
    """Nothing is lost, no buffer leaks, every audit holds, and every schedule comes to an end."""
    del strategy  # the mark has it
    return cycle(machine, objects, helpers, PROGRAMS[programs])


class NoBarrier(AuditedM):
    """Stores without shading."""

    def gcmarkwb_m(self, ptr: int) -> None:
        """Nothing."""


class NoRescan(AuditedM):
    """A mark termination that leaves the stacks as the concurrent scan has found them."""

    def scanstack(self, gp: int) -> None:
        """In the scan phase only."""
        if self.port.words[self.gcphase] == GCscan:
            super().scanstack(gp)


class NoHarvest(AuditedM):
    """Leaves the buffers in the caches."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


@pytest.mark.race(schedules=100_000)
@pytest.mark.parametrize(
    "m",
    [
        pytest.param(NoBarrier, marks=pytest.mark.race(fails="reachable objects are not marked"), id="no barrier"),
        pytest.param(NoRescan, marks=pytest.mark.race(fails="reachable objects are not marked"), id="no rescan"),
        pytest.param(NoHarvest, marks=pytest.mark.race(fails="still holds"), id="no harvest"),
    ],
)
def test_faults(machine: SteppedMachine, m: type[AuditedM]) -> Check:
    """What the barrier, the second look at the stacks and the harvest are for is found without them."""
    return cycle(machine, 3, 0, PROGRAMS["move and hide"], m)
