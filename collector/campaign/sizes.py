"""How large the parts of a search are: seconds long, and shorter while another process has nothing to do.

A process's first part costs some 10 to 50 ms beside its schedules, as it compares the program with itself and looks into its
objects; other parts cost a few (`explore.workplace`).
"""

from __future__ import annotations

from collector.explore.strategies.base import Budget


SECONDS = 5.0
"""That a part runs at most;"""
LEAST = 0.25
"""and that it runs at least, also when another process has nothing to do."""
FEW = 50
"""Schedules that any part may run, if so many are left."""
MOST = 4_096
"""Leaves or pieces of a part."""


def budget(schedules: int) -> Budget:
    """Of a part."""
    return Budget(schedules, SECONDS, LEAST)


def allowed(schedules: int, jobs: int) -> int:
    """How many of the schedules that are left a part may run, for one of so many processes."""
    return max(min(FEW, schedules), schedules // (2 * jobs))


class Size:
    """How many leaves, or pieces, a part gets: about as many as it gets through."""

    def __init__(self) -> None:
        self.most = 8

    def of(self, waiting: int, jobs: int) -> int:
        """That many, of those that wait, for one of so many processes."""
        return max(1, min(self.most, waiting // jobs))

    def learn(self, given: int, finished: int) -> None:
        """A part has got through so many of those that it was given."""
        if finished == given:
            self.most = max(self.most, min(MOST, 2 * given))
        else:
            self.most = max(1, min(self.most, 2 * finished))
