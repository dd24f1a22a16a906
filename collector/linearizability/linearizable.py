"""The verdict on a history: linearizable, with an order; not, with the shortest failing prefix; or unknown, at a limit.

The question is Herlihy and Wing's (1990).  `collector.linearizability.search` answers it, part by part where the model
says that its objects can be judged one by one.

Where the search fails, it names the furthest return that it could not get past.  The history as it stood at any earlier
return passes.  As it stood at that one it mostly fails too; but an operation that still ran then counts as open, and
with another answer than the one it gave later it may make the history pass.  So a later return may be the first at
which no order is left.  Every prefix of a linearizable history is linearizable, so bisection finds that return.

Times are as `collector.linearizability.history` says; equal ones overlap.  Weaker conditions (sequential consistency,
quiescent consistency) are not asked: real time always counts.
"""

from __future__ import annotations

import heapq
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from collector.linearizability.diagram import lanes
from collector.linearizability.search import Budget, LimitReachedError, by_return, search
from collector.linearizability.specification import partition
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collector.linearizability.history import Operation
    from collector.linearizability.specification import Model


SPELLED = 20
"""Operations of an order that are printed."""


class Answer(StrEnum):
    """What became of the question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """Where a history stops being linearizable."""

    prefix: tuple[Operation, ...]
    """The history up to the return of `culprit`, in order of call; what still ran then is open."""
    culprit: Operation
    """The operation whose return no order explains."""
    end: int
    """When it returned."""
    order: tuple[Operation, ...]
    """An order that explains the prefix as it stood before that return; empty if a limit was reached first."""
    shortest: bool
    """Whether every shorter prefix is known to pass: of the one part that was found to fail, where there are parts."""

    def __str__(self) -> str:
        running = sum(operation.ret is None for operation in self.prefix)
        which = "the shortest failing prefix" if self.shortest else "a failing prefix, perhaps not the shortest"
        before = ", ".join(map(str, self.order[-SPELLED:])) or "nothing"
        return (
            f"not linearizable: no order explains {self.culprit}\n"
            f"{which}: {counted(len(self.prefix), 'operation')}, {running} of them open\n\n"
            f"{lanes(self.prefix, note='<-- not explained')}\n\n"
            f"an order that explains all before it{' (its end)' if len(self.order) > SPELLED else ''}: {before}"
        )


@dataclass(frozen=True)
class Verdict:
    """The answer and its grounds.  True as a condition only for yes: a limit reached is never a pass."""

    answer: Answer
    order: tuple[Operation, ...] = ()
    """yes: the operations as one can have followed the other; open ones that are not here had no effect."""
    failure: Failure | None = None
    """no: where it fails."""
    limit: str = ""
    """The limit that was reached, if one was."""
    steps: int = 0
    """Questions put to the model."""

    @property
    def prefix(self) -> tuple[Operation, ...]:
        """no: the shortest failing prefix, in order of call (of one part, where the model has parts)."""
        return self.failure.prefix if self.failure else ()

    def __bool__(self) -> bool:
        return self.answer is Answer.YES

    def __str__(self) -> str:
        if self.failure:
            return str(self.failure)
        if self.answer is Answer.YES:
            return f"linearizable: {counted(len(self.order), 'operation')} in order, {counted(self.steps, 'step')}"
        return f"unknown whether linearizable: stopped at {self.limit}, after {counted(self.steps, 'step')}"


def linearizable(
    history: Iterable[Operation],
    model: Model[Any],
    *,
    seconds: float | None = 60.0,
    steps: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Whether the operations, each at one moment between its call and its return, make a run that the model accepts.

    `seconds` (by `clock`) and `steps` (questions to the model) limit the search; None is no limit.  Raises ValueError
    for an operation the model does not know.
    """
    budget = Budget(seconds, steps, clock)
    orders: list[list[Operation]] = []
    try:
        # Short parts first: the first that fails is the answer, and what was not judged behind it is not needed.
        for part in sorted(partition(model, tuple(history)), key=len):
            order, stuck = search(part, model, budget)
            if stuck is not None:
                return Verdict(Answer.NO, failure=_failure(part, stuck, model, budget), steps=budget.steps)
            orders.append(order)
    except LimitReachedError:
        return Verdict(Answer.UNKNOWN, limit=budget.reached, steps=budget.steps)
    return Verdict(Answer.YES, tuple(_interleaved(orders)), steps=budget.steps)


def _failure(history: Sequence[Operation], stuck: int, model: Model[Any], budget: Budget) -> Failure:
    """Where a history fails that `search` found stuck."""
    returns = by_return(history)
    last = len(returns) - 1
    shortest = False
    order: list[Operation] = []
    with suppress(LimitReachedError):
        # Mostly it is `stuck` itself; halve only if not.
        probe = stuck
        while stuck < last:
            if search(_until(history, probe), model, budget)[1] is None:
                stuck = probe + 1
            else:
                last = probe
            probe = (stuck + last) // 2
        shortest = True
        order, _ = search(_until(history, last, ended=False), model, budget)
    end, culprit = returns[last]
    return Failure(tuple(_until(history, last)), history[culprit], end, tuple(order), shortest)


def _until(history: Sequence[Operation], last: int, *, ended: bool = True) -> list[Operation]:
    """The history as it stood at its return number `last`, or just before it unless `ended`; in order of call."""
    returns = by_return(history)
    end, _ = returns[last]
    over = {at for _, at in returns[: last + ended]}
    stood = [
        operation if at in over else replace(operation, ret=None, output=None)
        for at, operation in enumerate(history)
        if operation.call <= end
    ]
    return sorted(stood, key=lambda operation: operation.call)


def _interleaved(orders: Iterable[Sequence[Operation]]) -> Iterable[Operation]:
    """One order of all the parts' operations from an order of each.

    It goes on with the part whose next operation was called first.  So real time holds between parts too: an operation
    that has returned, and all that its part has before it, were called before any later call.
    """
    return heapq.merge(*orders, key=lambda operation: operation.call)
