"""Bounded and depth-first search in parts: pieces of the tree of choices, bound after bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.campaign.sizes import Size, allowed, budget
from collector.explore.strategies.bounded import UNBOUNDED, claimed
from collector.explore.strategies.pieces import Piece, Pieces
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.campaign.part import Question
    from collector.explore.claim import Claim


@dataclass(frozen=True)
class Subtree:
    """Some pieces under one bound."""

    number: int
    schedules: int
    bound: int
    pieces: tuple[Piece, ...]

    def strategy(self, question: Question, hungry: Callable[[], bool], _before: object) -> Pieces:
        """Depth-first search of them."""
        return Pieces(question.options, self.bound, self.pieces, budget(self.schedules).begun(hungry))

    def told(self, strategy: Pieces) -> Left:
        """What is left."""
        finished = len(self.pieces) - (len(strategy.todo) + 1 if strategy.rest else 0)
        return Left(strategy.rest, strategy.cut, finished)


class Left(NamedTuple):
    """What has become of a part."""

    pieces: list[Piece]
    cut: bool
    """The bound has cut something off."""
    finished: int
    """So many pieces are, the first ones."""


class Trees:
    """Hands out pieces, the first ones first; a bound is begun when the one before is finished."""

    def __init__(self, question: Question, share: float = 1.0) -> None:
        self.name = "dfs" if question.strategy == "dfs" else "exhaustive"
        self.share = share
        self.bound = UNBOUNDED if self.name == "dfs" else 0
        self.highest = UNBOUNDED if question.preemptions is None else question.preemptions
        self.waiting = [Piece()]
        self.out: dict[int, Subtree] = {}
        self.size = Size()
        self.number = 0
        self.cut = False
        self.done = self.exhausted = False

    def next(self, jobs: int, schedules: int) -> Subtree | None:
        """The first pieces that wait."""
        if not self.waiting or schedules <= 0:
            return None
        most = self.size.of(len(self.waiting), jobs)
        pieces, self.waiting = tuple(self.waiting[:most]), self.waiting[most:]
        self.number += 1
        part = self.out[self.number] = Subtree(self.number, allowed(schedules, jobs), self.bound, pieces)
        return part

    def back(self, part: Subtree, told: Left) -> None:
        del self.out[part.number]
        self.size.learn(len(part.pieces), told.finished)
        self.cut = self.cut or told.cut
        self._wait(told.pieces)
        if self.waiting or self.out:
            return
        if not self.cut:
            self.done = self.exhausted = True
        elif self.bound >= self.highest:
            self.done = True
        else:
            self.bound, self.cut, self.waiting = self.bound + 1, False, [Piece()]

    def again(self, part: Subtree) -> None:
        del self.out[part.number]
        self._wait(part.pieces)

    def _wait(self, pieces: Sequence[Piece]) -> None:
        self.waiting = sorted([*self.waiting, *pieces], key=lambda piece: piece.taken)

    def order(self, part: Subtree) -> tuple[int, ...]:
        return (part.bound, *part.pieces[0].taken)

    def claim(self, schedules: int) -> Claim:
        return claimed(self.name, schedules, self.bound, done=self.done, exhausted=self.exhausted)

    def outlook(self) -> str:
        pieces = f"{len(self.waiting) + len(self.out):,} pieces left"
        return pieces if self.bound == UNBOUNDED else f"{counted(self.bound, 'preemption')}: {pieces}"

    def record(self) -> list[Any]:
        out = [piece for part in self.out.values() for piece in part.pieces]
        return [self.bound, self.cut, self.done, self.exhausted, self.number, [*self.waiting, *out]]

    def restore(self, record: list[Any]) -> None:
        self.bound, self.cut, self.done, self.exhausted, self.number, pieces = record
        self.waiting = []
        self._wait([Piece(tuple(map(tuple, path)), tuple(taken), floor) for path, taken, floor in pieces])
