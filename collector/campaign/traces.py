"""DPOR in parts: leaves of the wake-up trees, which stay with whoever hands them out (`dpor.frontier`).

The first part is what a search by one process does before it begins afresh and cuts idle turns; those are then known by the
same steps in all parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.campaign.sizes import Size, allowed, budget
from collector.explore.claim import Claim, Kind, Seen
from collector.explore.strategies.base import Budget
from collector.explore.strategies.dpor.frontier import Frontier, record, restored
from collector.explore.strategies.dpor.search import PLAIN
from collector.explore.strategies.dpor.subtree import Subtrees


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.part import Question
    from collector.explore.strategies.dpor.frontier import Leaf
    from collector.explore.strategies.dpor.subtree import Explored, Start


@dataclass(frozen=True)
class Leaves:
    """Some leaves."""

    number: int
    schedules: int
    starts: tuple[Start, ...]
    budget: Budget
    cutting: frozenset[tuple[int, int]] | None
    """By what an idle turn is known, if those are cut."""

    def strategy(self, question: Question, hungry: Callable[[], bool], before: object) -> Subtrees:
        """DPOR of what begins with them."""
        found = Subtrees(question.options, self.starts, self.budget.begun(hungry), self.cutting)
        if isinstance(before, Subtrees):
            found.objects = before.objects
        return found

    def told(self, strategy: Subtrees) -> Explored:
        """What is left, and what else is to be explored."""
        return strategy.explored


class Traces:
    """Hands out leaves that are next to each other."""

    name = "dpor"

    def __init__(self, question: Question, share: float = 1.0) -> None:
        self.question = question
        self.share = share
        self.frontier = Frontier()
        self.out: dict[int, list[Leaf]] = {}
        self.size = Size()
        self.number = 0
        self.cutting: frozenset[tuple[int, int]] | None = None
        self.heads: set[tuple[int, int]] = set()
        self.afresh = 0
        """Number of the last part from before it began afresh."""
        self.begun = False
        """The first part is back."""
        self.complete = 0
        """Interleavings that were run to their ends since then."""

    @property
    def done(self) -> bool:
        """Every trace was seen."""
        return self.frontier.done

    def next(self, jobs: int, schedules: int) -> Leaves | None:
        """Some leaves that wait."""
        waiting = self.frontier.waiting
        if not waiting or schedules <= 0:
            return None
        leaves = self.frontier.leaves(self.size.of(waiting, jobs))
        self.number += 1
        self.out[self.number] = leaves
        most = allowed(schedules, jobs) if self.begun else min(PLAIN, schedules)
        its = budget(most) if self.begun else Budget(most)
        return Leaves(self.number, most, tuple(leaf.start for leaf in leaves), its, self.cutting)

    def back(self, part: Leaves, told: Explored) -> None:
        leaves = self.out.pop(part.number)
        if part.number <= self.afresh:
            return
        self.begun = True
        self.size.learn(len(leaves), told.finished)
        self.frontier.back(leaves, told)
        self.heads |= told.heads
        self.complete += told.complete
        if self.cutting is None and self.heads and not self.done:
            self.cutting, self.afresh, self.frontier = frozenset(self.heads), self.number, Frontier()
            self.complete = 0

    def again(self, part: Leaves) -> None:
        leaves = self.out.pop(part.number)
        if part.number > self.afresh:
            self.frontier.again(leaves)

    def order(self, part: Leaves) -> tuple[int, ...]:
        return self.out[part.number][0].place()

    def claim(self, _schedules: int) -> Claim:
        if self.done:
            return Claim(Kind.PROVED, self.name, Seen.TRACES, self.complete)
        return Claim(Kind.UNDECIDED, self.name, Seen.TRACES, self.complete, reason="more are left")

    def outlook(self) -> str:
        return f"{self.frontier.root.waiting + self.frontier.root.out:,} branches of the wake-up trees left"

    def record(self) -> list[Any]:
        cutting = None if self.cutting is None else sorted(self.cutting)
        return [
            self.begun, self.number, self.afresh, self.complete, cutting, sorted(self.heads), record(self.frontier),
        ]  # fmt: skip

    def restore(self, record: list[Any]) -> None:
        self.begun, self.number, self.afresh, self.complete, cutting, heads, tree = record
        self.cutting = None if cutting is None else frozenset(map(tuple, cutting))
        self.heads = set(map(tuple, heads))
        self.frontier = restored(tree)
