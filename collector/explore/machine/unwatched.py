"""Schedules that do not end where nobody looks for a livelock: they are given up at the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.fault import Fault


if TYPE_CHECKING:
    from collector.explore.machine.execution import Execution


class Unwatched:
    """At the limit, a schedule ends."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    def begin(self) -> None:
        """A new schedule."""
        self.execution.limit = self.execution.steps_allowed

    def overrun(self) -> None:
        """It is over."""
        self.execution.give_up(Fault("endless", f"no end after {len(self.execution.trail)} steps"))

    def stuck(self) -> Fault | None:
        """Let them go."""
        return None

    def go_round(self, i: int) -> int:
        """Ends the schedule: nothing detects a livelock here."""
        self.overrun()
        return self.execution.pick(i)
