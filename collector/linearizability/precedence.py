"""Infers the order of overlapping insertions into a stack or a queue from the order of the removals.

The rules speak of values that can be told apart, as Henzinger, Sezgin and Vafeiadis (2013) and Emmi and Enea (2018)
read the histories of such collections: by value, not by state.  A value that is put in several times, as a node that is
pushed, popped and pushed again, counts as a new value each time, if each time it was out before it was put in again:
its removal had returned before the next insertion was called.

Two values `a` and `b` were put in by overlapping operations, and a was taken out before the removal of b was called (or
b was never taken out):

* of a queue: a was put in first;
* of a stack: b was put in first, if b was in when the removal of a was called, for it then lay below a.

What follows from several such pairs together, and from answers that the collection was empty, is left to the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.linearizability.history import Operation, Value


FOREVER = float("inf")


class Stay(NamedTuple):
    """A value from its coming to its going, brought by an operation that returned.  Positions are in the history."""

    bring: int
    came: int
    """When that operation was called."""
    there: int
    """When it returned."""
    taking: float
    """When the operation was called that took it: FOREVER if none did."""
    gone: float
    """When that one returned."""


def queued(history: Sequence[Operation], bring: str, take: str, known: Sequence[Value]) -> Iterator[tuple[int, int]]:
    """Positions of a queue's insertions in pairs, the first before the second in every order."""
    for a, b in _overlapping(_stays(history, bring, take, known)):
        if a.gone < b.taking:
            yield a.bring, b.bring


def stacked(history: Sequence[Operation], bring: str, take: str, known: Sequence[Value]) -> Iterator[tuple[int, int]]:
    """Positions of a stack's insertions in pairs, the first before the second in every order."""
    for a, b in _overlapping(_stays(history, bring, take, known)):
        if b.there < a.taking and a.gone < b.taking:
            yield b.bring, a.bring


def _stays(history: Sequence[Operation], bring: str, take: str, known: Sequence[Value]) -> list[Stay]:
    """The stays of every value that can be told apart; not of those in `known`, which were there from the start."""
    bringing: dict[Value, list[int]] = {}
    taking: dict[Value, list[tuple[float, float]]] = {}
    open_take = False
    for at, operation in enumerate(history):
        match operation.input:
            case (name, value) if name == bring:
                bringing.setdefault(value, []).append(at)
            case (name,) if name == take and operation.ret is not None:
                taking.setdefault(operation.output, []).append((operation.call, operation.ret))
            case _:
                open_take = True
    stays = []
    for value, comings in bringing.items():
        comings.sort(key=lambda at: history[at].call)
        goings = sorted(taking.get(value, ()))
        apart = all(gone < history[at].call for (_, gone), at in zip(goings, comings[1:], strict=False))
        if not apart or value in known:
            continue
        if not open_take:
            # A removal still open may have taken any value, so of one that seems to stay nobody knows when it left.
            goings.append((FOREVER, FOREVER))
        for at, going in zip(comings, goings, strict=False):
            there = history[at].ret
            if there is not None:
                stays.append(Stay(at, history[at].call, there, *going))
    return stays


def _overlapping(stays: list[Stay]) -> Iterator[tuple[Stay, Stay]]:
    """Every two values whose insertions overlapped, both ways round."""
    running: list[Stay] = []
    for stay in sorted(stays, key=lambda stay: stay.came):
        running = [other for other in running if other.there >= stay.came]
        for other in running:
            yield other, stay
            yield stay, other
        running.append(stay)
