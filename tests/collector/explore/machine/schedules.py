"""A schedule of a machine by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.default import Replayer
from collector.explore.program import run_and_check


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore import SteppedMachine
    from collector.explore.machine.fault import Fault


def run(machine: SteppedMachine, deviations: Sequence[tuple[int, int]] = ()) -> Fault | None:
    """The default schedule with `deviations`."""
    deviating = Replayer(machine, deviations, strict=True)
    fault = run_and_check(machine, deviating.pick, deviating.draw, None)
    assert not deviating.diverged
    return fault
