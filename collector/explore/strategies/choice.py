"""A place on the path of a depth-first search, and what can be done there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.prefix import announced, check


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Announced


class Choice:
    """A place on the current path, and what can be done there."""

    __slots__ = ("alternatives", "announced", "index", "state")

    def __init__(self, alternatives: list[int], state: int = -1) -> None:
        self.alternatives = alternatives
        self.index = 0
        self.state = state
        """Its number; -1 where a value is chosen."""
        self.announced: Announced | None = None
        """What the thread that goes from here was about to do; None if it has not gone yet."""

    def thread(self, machine: SteppedMachine) -> int:
        """Who goes from here.  Whoever has gone before must be about to do the same again."""
        t = self.alternatives[self.index]
        if self.announced is None:
            self.announced = announced(machine, t)
        check(machine, t, self.announced)
        return t

    def next(self) -> None:
        """On to the next alternative."""
        self.index += 1
        self.announced = None
