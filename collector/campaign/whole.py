"""A search that cannot be split, as one part: the state search of the portfolio, which has a process to itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.strategies.stateful import Stateful


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.part import Question


@dataclass(frozen=True)
class All:
    """All of it."""

    number: int
    schedules: int

    def strategy(self, question: Question, _hungry: Callable[[], bool], _before: object) -> Stateful:
        """State search."""
        return Stateful(question.options)

    def told(self, strategy: Stateful) -> int | None:
        """The states, if all were seen."""
        return strategy.states if strategy.exhausted else None


class States:
    """Hands out the one part."""

    name = "stateful"
    share = 1e9
    """It is begun first, and runs until the others are done."""

    def __init__(self) -> None:
        self.out = self.done = False
        self.states: int | None = None

    def next(self, _jobs: int, schedules: int) -> All | None:
        """All of it, once; half of the schedules are for the others."""
        if self.out or self.done:
            return None
        self.out = True
        return All(1, max(1, schedules // 2))

    def back(self, _part: All, told: int | None) -> None:
        self.out, self.done, self.states = False, True, told

    def again(self, _part: All) -> None:
        self.out = False

    def order(self, _part: All) -> tuple[int, ...]:
        return ()

    def claim(self, schedules: int) -> Claim:
        if self.states is not None:
            return Claim(Kind.PROVED, self.name, Seen.STATES, self.states)
        return Claim(Kind.UNDECIDED, self.name, number=schedules, reason="more are left")

    def outlook(self) -> str:
        return ""

    def record(self) -> None:
        """Nothing: it begins again."""

    def restore(self, _record: None) -> None:
        """As ever."""
