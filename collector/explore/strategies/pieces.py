"""Depth-first search in pieces: what one process explores of a tree of choices that several share.

A piece is a path from the root, with the alternatives of each choice on it and which of them is taken, and a *floor*: the
choices before that one stay as they are, those from there on go on to the alternatives after.  When its budget is spent a
search hands back what is left, as pieces: the path that comes next, and at each choice on it the alternatives after the one
that is taken.  In the order of the choices they take, pieces are in the order of the search by one process.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.claim import Claim, Kind
from collector.explore.strategies.bounded import Exhaustive


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


class Piece(NamedTuple):
    """A part of the tree."""

    path: tuple[tuple[int, ...], ...] = ()
    """Alternatives of each choice."""
    taken: tuple[int, ...] = ()
    """Which of them is; pieces are in the order of this."""
    floor: int = 0


class Pieces(Exhaustive):
    """Depth-first search of some pieces under one bound, one after the other, within a budget."""

    def __init__(self, options: Options, bound: int, pieces: Sequence[Piece], spent: Callable[[int], bool]) -> None:
        """`spent` says, after so many schedules, whether the budget is."""
        super().__init__(options)
        self.bound = bound
        self.todo = deque(pieces)
        self.rest: list[Piece] = []
        """What is left when it is done."""
        self.spent = spent
        self._next_piece()

    def _next_piece(self) -> None:
        piece = self.todo.popleft()
        self.path, self.index, self.floor = [list(each) for each in piece.path], list(piece.taken), piece.floor

    def end(self, machine: SteppedMachine, /) -> None:
        super().end(machine)
        if not self.done and self.spent(self.runs):
            self.rest = [*self._left(), *self.todo]
            self.done = True

    def _all_seen(self) -> None:
        """Of the piece."""
        if self.todo:
            self._next_piece()
        else:
            self.done = True

    def _left(self) -> list[Piece]:
        """What is left of the piece under way, in order."""
        path, index = tuple(map(tuple, self.path)), tuple(self.index)
        after = (
            Piece(path[: depth + 1], (*index[:depth], index[depth] + 1), depth)
            for depth in reversed(range(self.floor, len(path)))
            if index[depth] + 1 < len(path[depth])
        )
        return [Piece(path, index, len(path)), *after]

    def claim(self, schedules: int, /) -> Claim:
        """Of what was not handed back."""
        if not self.done:
            return Claim(Kind.UNDECIDED, self.name, number=schedules, reason="more are left")
        return Claim(Kind.PROVED, self.name, number=schedules)
