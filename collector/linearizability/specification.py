"""The interface of a sequential model.

It is the sequential specification of Herlihy and Wing (1990), as a machine: a first state, and for each state and
operation whether the answer is right and which state follows.

States must be hashable, and two states that compare equal must allow the same futures.  `step` changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collector.linearizability.history import Operation, Value


S = TypeVar("S")


class Model(Protocol[S]):
    """An object as it behaves when one operation follows another.

    A model may have three methods more:

    `partition(history)` splits a history into parts that can be judged one by one (the objects of a set of objects).

    `unseen(state, input)` gives every state the operation may leave when nobody saw its answer.  A model needs it only
    where state and input leave the answer open (a bag's pop).  Without it, `step` is asked with the output `UNSEEN`.

    `before(history)` gives pairs of positions in the history, of operations that returned: in every order that the
    model accepts, the first comes before the second.  It decides nothing that `step` would not, but later answers tell
    which of two overlapping operations was first, and a search that knows it at once need not find it out by failing.
    """

    def init(self) -> S:
        """The state before the first operation."""

    def step(self, state: S, given: Value, output: Value, /) -> tuple[bool, S]:
        """Whether an operation with the input `given` may answer `output` in `state`, and the state it leaves."""


class Unseen:
    """An answer nobody saw: equal to everything, so that any answer the model compares it with is the right one."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "UNSEEN"


UNSEEN = Unseen()


def unseen(model: Model[S]) -> Callable[[S, Value], Iterable[S]]:
    """The states an operation may leave when nobody saw its answer, by the model's own `unseen` if it has one."""
    own: Callable[[S, Value], Iterable[S]] | None = getattr(model, "unseen", None)
    if own is not None:
        return own

    def by_step(state: S, given: Value) -> Iterable[S]:
        ok, after = model.step(state, given, UNSEEN)
        return (after,) if ok else ()

    return by_step


def before(model: Model[S], history: Sequence[Operation]) -> Iterable[tuple[int, int]]:
    """The pairs of operations whose order the model knows from the answers."""
    own: Callable[[Sequence[Operation]], Iterable[tuple[int, int]]] | None = getattr(model, "before", None)
    return () if own is None else own(history)


def partition(model: Model[S], history: Sequence[Operation]) -> list[Sequence[Operation]]:
    """The parts of `history` that can be judged one by one; the whole if the model does not say.

    Raises ValueError when the model's parts do not hold as many operations as the history: one left out would pass.
    """
    own: Callable[[Sequence[Operation]], Iterable[Sequence[Operation]]] | None = getattr(model, "partition", None)
    if own is None:
        return [history]
    parts = list(own(history))
    held = sum(map(len, parts))
    if held != len(history):
        raise ValueError(
            f"{type(model).__name__}.partition: {held} operations in the parts, {len(history)} in the history: "
            "each must be in one part"
        )
    return parts
