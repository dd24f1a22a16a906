"""Sequential models of a stack, a queue, a register and a bag.

`linearizable` judges histories against these.  The lock-free stack answers to `Stack` (LIFO); the lists of work
buffers, seen through caches that keep buffers back, answer to no more than `Bag`.

The checker keeps every state it has met, so a step must not copy its contents and comparing two states must not walk
them:

* a stack is a node of a tree that holds every stack met so far: push goes to a child, pop to the parent, equal contents
  are the same node.  (Nested tuples would share as well, but hash and compare in time proportional to their depth.)
* a queue is two such stacks, the front one turned round.  The same contents may be met cut at different places: the
  search may then go on from them once for each place, which costs time and never a verdict.
* a bag is an integer with a bit for each copy of each value.

Nothing is kept in the models themselves: each `init()` starts a tree, or a numbering of copies, of its own.

Values are hashable, and equal values are the same value.  A `pop` or `dequeue` answers `empty` when there is nothing;
what a push or an enqueue answers is not looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from collector.linearizability.precedence import queued, stacked
from collector.linearizability.specification import UNSEEN, before, unseen


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from collector.linearizability.history import Operation, Value
    from collector.linearizability.specification import Model


S = TypeVar("S")


class Node:
    """A stack's contents: `value` on top of `below`; `below` is None for the empty stack.  Compared by identity."""

    __slots__ = ("above", "below", "value")

    def __init__(self, value: Value = None, below: Node | None = None) -> None:
        self.value = value
        self.below = below
        self.above: dict[Value, Node] = {}

    def push(self, value: Value) -> Node:
        """The one node for these contents with `value` on top."""
        node = self.above.get(value)
        if node is None:
            node = self.above[value] = Node(value, self)
        return node


@dataclass(frozen=True)
class Stack:
    """A LIFO stack: ("push", v) and ("pop",).  `initial` is given from the bottom up."""

    initial: tuple[Value, ...] = ()
    empty: Value = None

    def init(self) -> Node:
        node = Node()
        for value in self.initial:
            node = node.push(value)
        return node

    def step(self, state: Node, given: Value, output: Value) -> tuple[bool, Node]:
        match given:
            case ("push", value):
                return True, state.push(value)
            case ("pop",):
                if state.below is None:
                    return output == self.empty, state
                return output == state.value, state.below
        raise _unknown(given, "a stack", '("push", v) and ("pop",)')

    def before(self, history: Sequence[Operation]) -> Iterable[tuple[int, int]]:
        """Which of two overlapping pushes was first, where the pops tell."""
        return stacked(history, "push", "pop", (*self.initial, self.empty))


class QueueContents(NamedTuple):
    """A queue's contents: `front` holds the oldest on top, `back` the newest; `front` is empty only if both are."""

    front: Node
    back: Node


@dataclass(frozen=True)
class Queue:
    """A FIFO queue: ("enqueue", v) and ("dequeue",).  `initial` is given oldest first."""

    initial: tuple[Value, ...] = ()
    empty: Value = None

    def init(self) -> QueueContents:
        contents = QueueContents(Node(), Node())
        for value in self.initial:
            contents = _enqueue(contents, value)
        return contents

    def step(self, state: QueueContents, given: Value, output: Value) -> tuple[bool, QueueContents]:
        match given:
            case ("enqueue", value):
                return True, _enqueue(state, value)
            case ("dequeue",):
                front, back = state
                if front.below is None:
                    return output == self.empty, state
                return output == front.value, _normalized(QueueContents(front.below, back))
        raise _unknown(given, "a queue", '("enqueue", v) and ("dequeue",)')

    def before(self, history: Sequence[Operation]) -> Iterable[tuple[int, int]]:
        """Which of two overlapping enqueues was first, where the dequeues tell."""
        return queued(history, "enqueue", "dequeue", (*self.initial, self.empty))


def _enqueue(contents: QueueContents, value: Value) -> QueueContents:
    return _normalized(QueueContents(contents.front, contents.back.push(value)))


def _normalized(contents: QueueContents) -> QueueContents:
    """The same contents; if the front is empty, all of the back is moved there, in reverse order."""
    front, back = contents
    if front.below is not None:
        return contents
    while back.below is not None:
        front, back = front.push(back.value), back.below
    return QueueContents(front, back)


@dataclass(frozen=True)
class Register:
    """A register: ("read",) answers the value, ("write", v) sets it, ("cas", old, new) answers whether it did."""

    initial: Value = 0

    def init(self) -> Value:
        return self.initial

    def step(self, state: Value, given: Value, output: Value) -> tuple[bool, Value]:
        match given:
            case ("read",):
                return output == state, state
            case ("write", value):
                return True, value
            case ("cas", old, new):
                swaps = bool(state == old)
                return output == swaps, new if swaps else state
        raise _unknown(given, "a register", '("read",), ("write", v) and ("cas", old, new)')


@dataclass(eq=False, slots=True)
class Copies:
    """Which bit stands for the nth copy of a value; one numbering for all states that came from one `init`."""

    bits: dict[Value, list[int]] = field(default_factory=dict)
    taken: int = 0

    def count(self, value: Value, held: int) -> int:
        """Copies of `value` in `held`, which has the first so many of its bits set and no further one."""
        return bisect_left(self.bits.get(value, ()), 1, key=lambda bit: held >> bit & 1 ^ 1)

    def bit(self, value: Value, copy: int) -> int:
        """The bit of that copy; copies are met in order."""
        bits = self.bits.setdefault(value, [])
        if copy == len(bits):
            bits.append(self.taken)
            self.taken += 1
        return 1 << bits[copy]


class BagContents(NamedTuple):
    """A bag's contents: a bit for each copy of each value."""

    copies: Copies
    bits: int

    def put(self, value: Value) -> BagContents:
        return BagContents(self.copies, self.bits | self.copies.bit(value, self.copies.count(value, self.bits)))

    def taken(self, value: Value) -> BagContents | None:
        """What is left without one `value`; None if there is none."""
        count = self.copies.count(value, self.bits)
        return BagContents(self.copies, self.bits ^ self.copies.bit(value, count - 1)) if count else None


@dataclass(frozen=True)
class Bag:
    """A bag: ("push", v), and ("pop",) that answers any value in it.  `empty` only when there is none.

    The operations are called as a stack's are, so that one history can be held against both.
    """

    initial: tuple[Value, ...] = ()
    empty: Value = None

    def init(self) -> BagContents:
        held = BagContents(Copies(), 0)
        for value in self.initial:
            held = held.put(value)
        return held

    def step(self, state: BagContents, given: Value, output: Value) -> tuple[bool, BagContents]:
        match given:
            case ("push", value):
                return True, state.put(value)
            case ("pop",):
                left = state.taken(output)
                if left is None:
                    return not state.bits and output == self.empty, state
                return True, left
        raise _unknown(given, "a bag", '("push", v) and ("pop",)')

    def unseen(self, state: BagContents, given: Value) -> Iterator[BagContents]:
        """A pop whose answer nobody saw may have taken any of the values."""
        match given:
            case ("pop",):
                # The numbering grows while the search goes on from a state given here: go through the values known now.
                yield from filter(None, map(state.taken, list(state.copies.bits)))
            case _:
                yield self.step(state, given, UNSEEN)[1]

    def partition(self, history: Sequence[Operation]) -> Iterable[Sequence[Operation]]:
        """Value by value, unless a pop found the bag empty: only that answer ties the values together."""
        parts: dict[Value, list[Operation]] = {}
        for operation in history:
            match operation.input:
                case ("push", value):
                    pass
                case _ if operation.ret is not None and operation.output == self.empty:
                    return (history,)
                case _:
                    # An open pop may go to any part: where no answer was `empty`, none is better for it than another.
                    value = operation.output
            parts.setdefault(value, []).append(operation)
        return parts.values()


@dataclass(frozen=True)
class Each(Generic[S]):
    """Many objects, each as `model` says: the input (name, input) is that input to the object of that name.

    Linearizability is local (Herlihy and Wing, theorem 1): a history is linearizable if each object's part of it is.
    So `partition` gives a part per object, and a state is one object's.
    """

    model: Model[S]

    def init(self) -> S:
        return self.model.init()

    def step(self, state: S, given: Value, output: Value) -> tuple[bool, S]:
        return self.model.step(state, given[1], output)

    def unseen(self, state: S, given: Value) -> Iterable[S]:
        return unseen(self.model)(state, given[1])

    def before(self, history: Sequence[Operation]) -> Iterable[tuple[int, int]]:
        """As the model knows of one object's part."""
        return before(self.model, [replace(operation, input=operation.input[1]) for operation in history])

    def partition(self, history: Sequence[Operation]) -> Iterable[Sequence[Operation]]:
        """One part per object."""
        parts: dict[Value, list[Operation]] = {}
        for operation in history:
            match operation.input:
                case (name, _):
                    parts.setdefault(name, []).append(operation)
                case _:
                    raise _unknown(operation.input, "one of many objects", "(name, input)")
        return parts.values()


def _unknown(given: Value, model: str, operations: str) -> ValueError:
    return ValueError(f"{given!r} is nothing that {model} does: it knows {operations}")
