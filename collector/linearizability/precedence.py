"""Infers the order of overlapping insertions into a stack or a queue from the order of the removals.

The rules need distinguishable values, as in Henzinger, Sezgin and Vafeiadis (2013) and Emmi and Enea (2018).  A value
that is inserted several times, as a node that is pushed, popped and pushed again, counts as a new value each time, if each
removal had returned before the next insertion was called.

Let two values `a` and `b` be inserted by overlapping operations, and let the removal of a return before that of b is called
(or b never be removed):

* in a queue, a was inserted first;
* in a stack, b was inserted first, if its insertion had returned when the removal of a was called: it lay below a.

What follows from several such pairs together, and from answers that the collection was empty, is left to the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.linearizability.history import Operation, Value


FOREVER = float("inf")


class Lifetime(NamedTuple):
    """A value in the collection, from its insertion, which has returned, to its removal."""

    insertion: int
    """Position of the insertion in the history."""
    insert_call: int
    insert_return: int
    remove_call: float
    """FOREVER if nothing has removed it; so is the next."""
    remove_return: float


def queued(history: Sequence[Operation], insert: str, remove: str, known: Sequence[Value]) -> Iterator[tuple[int, int]]:
    """Positions of a queue's insertions in pairs, the first before the second in every order."""
    for a, b in _overlapping(_lifetimes(history, insert, remove, known)):
        if a.remove_return < b.remove_call:
            yield a.insertion, b.insertion


def stacked(
    history: Sequence[Operation], insert: str, remove: str, known: Sequence[Value]
) -> Iterator[tuple[int, int]]:
    """Positions of a stack's insertions in pairs, the first before the second in every order."""
    for a, b in _overlapping(_lifetimes(history, insert, remove, known)):
        if b.insert_return < a.remove_call and a.remove_return < b.remove_call:
            yield b.insertion, a.insertion


def _lifetimes(history: Sequence[Operation], insert: str, remove: str, known: Sequence[Value]) -> list[Lifetime]:
    """The lifetimes of all distinguishable values, without those in `known`, which were there from the start."""
    inserting: dict[Value, list[int]] = {}
    removing: dict[Value, list[tuple[float, float]]] = {}
    open_removal = False
    for at, operation in enumerate(history):
        match operation.input:
            case (name, value) if name == insert:
                inserting.setdefault(value, []).append(at)
            case (name,) if name == remove and operation.ret is not None:
                removing.setdefault(operation.output, []).append((operation.call, operation.ret))
            case _:
                open_removal = True
    lifetimes = []
    for value, insertions in inserting.items():
        insertions.sort(key=lambda at: history[at].call)
        removals = sorted(removing.get(value, ()))
        distinguishable = all(end < history[at].call for (_, end), at in zip(removals, insertions[1:], strict=False))
        if not distinguishable or value in known:
            continue
        if not open_removal:
            # A removal that has not returned may have taken any value that seems to be there still.
            removals.append((FOREVER, FOREVER))
        for at, removal in zip(insertions, removals, strict=False):
            ret = history[at].ret
            if ret is not None:
                lifetimes.append(Lifetime(at, history[at].call, ret, *removal))
    return lifetimes


def _overlapping(lifetimes: list[Lifetime]) -> Iterator[tuple[Lifetime, Lifetime]]:
    """Every two values whose insertions overlapped, both ways round."""
    running: list[Lifetime] = []
    for lifetime in sorted(lifetimes, key=lambda lifetime: lifetime.insert_call):
        running = [other for other in running if other.insert_return >= lifetime.insert_call]
        for other in running:
            yield other, lifetime
            yield lifetime, other
        running.append(lifetime)
