"""What the answers of a stack or a queue tell about the order in which its values came.

What it is.  Rules for values that are told apart, in the way in which Henzinger, Sezgin and Vafeiadis (2013) and Emmi
and Enea (2018) read the histories of such collections: by value, not by state.  Apart are the stays of one value too,
as those of a node that is pushed, popped and pushed again, if each taking returned before the next bringing was called.

Theory of operation.  Two values `a` and `b` were brought by overlapping operations, and a was taken before the taking of
b was begun (or b was never taken):

* from a queue: a was brought first;
* from a stack: b was brought first, if b had been brought when the taking of a began, for it then lay below a.

Not modelled.  What follows from such pairs taken together, and from answers that there was nothing to take.
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
    """Pairs of positions of a queue's bringing operations, the first before the second in every order."""
    for a, b in _overlapping(_stays(history, bring, take, known)):
        if a.gone < b.taking:
            yield a.bring, b.bring


def stacked(history: Sequence[Operation], bring: str, take: str, known: Sequence[Value]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of a stack's bringing operations, the first before the second in every order."""
    for a, b in _overlapping(_stays(history, bring, take, known)):
        if b.there < a.taking and a.gone < b.taking:
            yield b.bring, a.bring


def _stays(history: Sequence[Operation], bring: str, take: str, known: Sequence[Value]) -> list[Stay]:
    """Every value that is told apart and whose end is known; those in `known` also come from elsewhere."""
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
            # With a taking still open, nobody knows that a value that stays was not taken early.
            goings.append((FOREVER, FOREVER))
        for at, going in zip(comings, goings, strict=False):
            there = history[at].ret
            if there is not None:
                stays.append(Stay(at, history[at].call, there, *going))
    return stays


def _overlapping(stays: list[Stay]) -> Iterator[tuple[Stay, Stay]]:
    """Every two values whose bringing overlapped, both ways round."""
    running: list[Stay] = []
    for stay in sorted(stays, key=lambda stay: stay.came):
        running = [other for other in running if other.there >= stay.came]
        for other in running:
            yield other, stay
            yield stay, other
        running.append(stay)
