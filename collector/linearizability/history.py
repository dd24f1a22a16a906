"""Histories: operations with thread, input, output, and the times of call and return.

A history, as Herlihy and Wing (1990) define it, is a set of operations, each an interval from its call to its return on
one thread.  `merge` makes one from what the threads recorded, each in a list of its own, so that recording shares
nothing between them.

All threads use one clock, read before the operation's first step and again after its last (`perf_counter_ns`, the
flight recorder's readings, or step numbers of the stepped machine).  The readings may lie further apart than the
operation itself: a longer interval allows more orders, so a verdict may become too mild, never too harsh.  For the same
reason equal times count as overlapping.

Operations of one thread must not overlap: `merge` refuses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias


if TYPE_CHECKING:
    from collections.abc import Iterable


Value: TypeAlias = Any
"""What an operation is given or answers: anything hashable; only the model looks inside."""
Thread: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: called at `call`, returned at `ret` (the same clock), on `thread`.

    `ret` is None while the operation is open: it may or may not have taken effect, and `output` is not looked at.
    Raises ValueError when it returns before its call.
    """

    call: int
    ret: int | None
    thread: Thread
    input: Value
    output: Value = None

    def __post_init__(self) -> None:
        if self.ret is not None and self.ret < self.call:
            raise ValueError(
                f"{self} returns at {self.ret}, before its call at {self.call}: read the clock again after it"
            )

    def __str__(self) -> str:
        answer = "(open)" if self.ret is None else f"-> {spell(self.output)}"
        return f"{who(self.thread)} {spell(self.input)} {answer}"


def who(thread: Thread) -> str:
    """The thread's name: numbers are Ms."""
    return f"m{thread}" if isinstance(thread, int) else thread


def spell(value: Value) -> str:
    """An input or output in few words: ("push", 3) is `push 3`."""
    if isinstance(value, tuple):
        return " ".join(map(spell, value))
    return value if isinstance(value, str) else repr(value)


def merge(threads: Iterable[Iterable[tuple[int, int | None, Thread, Value, Value]]]) -> tuple[Operation, ...]:
    """One history, in order of call, from one list of (call, return, thread, input, output) per thread.

    A return of None is an operation that never came back, the last of its thread.  Raises ValueError, naming the list
    and the record, when a record has another shape, a return precedes its call, a list speaks for two threads or two
    lists for one, or an operation begins before the one recorded before it has ended.
    """
    operations: list[Operation] = []
    owners: dict[Thread, int] = {}
    for number, records in enumerate(threads):
        before: Operation | None = None
        for index, record in enumerate(records):
            try:
                call, ret, thread, given, answer = record
                operation = Operation(call, ret, thread, given, answer)
                _follows(before, operation)
            except (TypeError, ValueError) as error:
                raise ValueError(f"list {number}, record {index}, {record!r}: {error}") from None
            if owners.setdefault(thread, number) != number:
                raise ValueError(
                    f"{who(thread)} is recorded in lists {owners[thread]} and {number}: keep one per thread"
                )
            operations.append(operation)
            before = operation
    return tuple(sorted(operations, key=lambda operation: operation.call))


def _follows(before: Operation | None, after: Operation) -> None:
    """Raise ValueError unless one thread can have done `after` when it was done with `before`."""
    if before is None:
        return
    if before.thread != after.thread:
        raise ValueError(
            f"a list of {who(before.thread)} holds an operation of {who(after.thread)}: keep one per thread"
        )
    if before.ret is None:
        raise ValueError(f"{before} never returned, yet its thread went on")
    if after.call < before.ret:
        raise ValueError(
            f"called at {after.call}, while {before} ran until {before.ret}: one thread does one at a time"
        )
