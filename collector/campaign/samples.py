"""Samplers in parts: a range of seeds, so many schedules by each.

The parts depend on the seed and the number of schedules alone, not on how many processes there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collector.explore.claim import sampled
from collector.explore.strategies import NAMED
from collector.explore.strategies.portfolio import Samplers


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.part import Question
    from collector.explore.claim import Claim
    from collector.explore.strategies.base import Strategy

EACH = 1_000
"""Schedules by each seed."""


@dataclass(frozen=True)
class Seed:
    """The schedules that one seed draws."""

    number: int
    seed: int
    schedules: int
    by: str

    def strategy(self, question: Question, _hungry: Callable[[], bool], _before: object) -> Strategy:
        """The sampler, with that seed."""
        options = replace(question.options, seed=self.seed)
        return Samplers(options) if self.by == "samplers" else NAMED[self.by](options)  # type: ignore[return-value]

    def told(self, _strategy: object) -> None:
        """Nothing but the result."""


class Seeds:
    """Hands out seeds, the first one first."""

    def __init__(self, question: Question, share: float = 1.0) -> None:
        self.name = question.strategy if question.strategy != "portfolio" else "samplers"
        self.question = question
        self.share = share
        self.behind = 0
        """Number of the first part that was not handed out yet."""
        self.once_more: list[int] = []
        """Parts before that which have to be handed out again."""
        self.out: set[int] = set()

    @property
    def done(self) -> bool:
        """All seeds were drawn."""
        return self.behind * EACH >= self.question.schedules and not self.once_more and not self.out

    def next(self, _jobs: int, schedules: int) -> Seed | None:
        """The next seed."""
        number = self.once_more[0] if self.once_more else self.behind
        most = min(EACH, self.question.schedules - number * EACH, schedules)
        if most <= 0:
            return None
        if self.once_more:
            self.once_more.pop(0)
        else:
            self.behind += 1
        self.out.add(number)
        return Seed(number, self.question.seed + number, most, self.name)

    def back(self, part: Seed, _told: object) -> None:
        self.out.remove(part.number)

    def again(self, part: Seed) -> None:
        self.out.remove(part.number)
        self.once_more = sorted([*self.once_more, part.number])

    def order(self, part: Seed) -> tuple[int, ...]:
        return (part.number,)

    def claim(self, schedules: int) -> Claim:
        return sampled(schedules, self.name)

    def outlook(self) -> str:
        return f"seeds {self.question.seed} to {self.question.seed + max(self.behind - 1, 0)}"

    def record(self) -> list[object]:
        return [self.behind, sorted([*self.once_more, *self.out])]

    def restore(self, record: tuple[int, list[int]]) -> None:
        self.behind, self.once_more = record
