"""The search of Wing and Gong (1993) for an order that a model accepts, with Lowe's cache of visited states (2017).

Choose an operation that no other has to precede, ask the model whether its answer is right, go on from the state it
leaves; never go on twice from the same state with the same operations done.

An operation may go next if no operation still to do returned before it was called.  These are the *front*: whatever was
called by the first return among all that is to do.  The front also tells which operations are done: all that were
called by that first return, but for the front itself, and none that was called later.  So a place in the search is
(front, open operations left, state): a few words however long the history, hashed as it stands, with nothing to undo
when the search turns back.  The search keeps its own trail, so a long history is no deep recursion.

Which of two overlapping operations took effect first often shows much later, by the answer of a third.  Left to find it
out by failing, the search would go through every combination of such pairs; so what the model can tell of their order
from the answers (`before`) is asked for first, and an operation does not go next while one known to precede it is to do.

Operations that never returned may be left out.  They are tried last, where no returned one could go on: most histories
need none of them, and each one taken too early doubles what there is to search.

`collector.linearizability.specification` says what a model must answer.  Equal times overlap.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from collector.linearizability.specification import before, unseen
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.linearizability.history import Operation
    from collector.linearizability.specification import Model


S = TypeVar("S")

Front: TypeAlias = tuple[int, ...]
"""Operations that may go next, by number."""
Place: TypeAlias = tuple[Front, Front, S]
"""What is to do: the front, and the open operations not yet taken, by number; and the state so far."""


class LimitReachedError(Exception):
    """The search ran into its limit."""


class Budget:
    """How long searches may go on: `seconds` by `clock`, and `most` questions to the model; None is no limit."""

    def __init__(
        self, seconds: float | None = None, most: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.steps = 0
        self.reached = ""
        """The limit that was reached."""
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._began = clock()

    def spend(self) -> None:
        """Count one question; raise LimitReachedError when there was none left.  The clock is read at every 64th."""
        if self.steps == self._most:
            self.reached = f"{counted(self._most, 'step')}"
        elif self._seconds is not None and not self.steps % 64 and self._clock() - self._began >= self._seconds:
            self.reached = f"{self._seconds:g} s"
        if self.reached:
            raise LimitReachedError(self.reached)
        self.steps += 1


def by_return(history: Sequence[Operation]) -> list[tuple[int, int]]:
    """The returns in `history`, in order: when, and of the operation at which position.  Ties go by call."""
    returns = [(operation.ret, operation.call, at) for at, operation in enumerate(history) if operation.ret is not None]
    return [(ret, at) for ret, _, at in sorted(returns)]


class Search(Generic[S]):
    """One history, numbered by call, and the model it is held against."""

    def __init__(self, history: Sequence[Operation], model: Model[S], budget: Budget) -> None:
        returns = by_return(history)
        self.budget = budget
        self.model = model
        self.unseen = unseen(model)
        self.turn = sorted(range(len(returns)), key=lambda rank: history[returns[rank][1]].call)
        """Of each operation that returned, by number: the rank of its return."""
        self.todo = [history[returns[rank][1]] for rank in self.turn]
        calls = [operation.call for operation in self.todo]
        self.reach = [bisect_right(calls, returns[rank][0]) for rank in self.turn]
        """How many operations were called by that return."""
        number = {returns[rank][1]: i for i, rank in enumerate(self.turn)}
        self.first: list[list[int]] = [[] for _ in self.todo]
        """What is known to come before it, by number."""
        for earlier, later in before(model, history):
            self.first[number[later]].append(number[earlier])
        self.ends = [ret for ret, _ in returns]
        self.open = sorted((operation for operation in history if operation.ret is None), key=lambda each: each.call)

    def run(self) -> tuple[list[Operation], int | None]:
        """As `search`."""
        start: Place[S] = (self.front([], 0), tuple(range(len(self.open))), self.model.init())
        if not start[0]:
            return [], None
        seen = {start}
        order: list[Operation] = []
        stuck = 0
        trail = [(start[0], self.moves(*start))]
        while trail:
            front, moves = trail[-1]
            for operation, place in moves:
                if place in seen:
                    continue
                seen.add(place)
                order.append(operation)
                if not place[0]:
                    return order, None
                trail.append((place[0], self.moves(*place)))
                break
            else:
                stuck = max(stuck, self.first_return(front))
                trail.pop()
                if trail:
                    order.pop()
        return [], stuck

    def moves(self, front: Front, left: Front, state: S) -> Iterator[tuple[Operation, Place[S]]]:
        """Every operation that the model lets go next, and where that leads."""
        called = min(self.reach[i] for i in front)
        for at, i in enumerate(front):
            if any(j >= called or j in front for j in self.first[i]):
                continue
            self.budget.spend()
            ok, after = self.model.step(state, self.todo[i].input, self.todo[i].output)
            if ok:
                yield self.todo[i], (self.front([*front[:at], *front[at + 1 :]], called), left, after)
        end = self.ends[self.first_return(front)]
        for at, i in enumerate(left):
            if self.open[i].call > end:
                break
            self.budget.spend()
            for after in self.unseen(state, self.open[i].input):
                # What changed nothing explains nothing, when nobody saw its answer.
                if after != state:
                    yield self.open[i], (front, left[:at] + left[at + 1 :], after)

    def front(self, left: list[int], called: int) -> Front:
        """What may go next when, of all that were called before number `called`, only those in `left` are to do."""
        until = min((self.reach[i] for i in left), default=len(self.todo))
        while called < until:
            left.append(called)
            until = min(until, self.reach[called])
            called += 1
        return tuple(left)

    def first_return(self, front: Front) -> int:
        """Rank of the first return among all that is to do."""
        return min(self.turn[i] for i in front)


def search(history: Sequence[Operation], model: Model[S], budget: Budget) -> tuple[list[Operation], int | None]:
    """An order of the operations that the model accepts, and None; or none, and the furthest return that orders reach.

    That return is a rank in `by_return(history)`.  Some accepted order holds all that returned before it; none holds
    the operation itself as well.  Raises LimitReachedError.
    """
    return Search(history, model, budget).run()
