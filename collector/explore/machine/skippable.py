"""Optional items of a program, such as rounds of a loop, which shrinking may leave out.

    operations = machine.optional(["pop", "push", "pop"])  # in the set-up
    ...
    for operation in operations:                           # in one thread's body

Items are numbered in the order in which the set-up asks for them.  Iterating skips those that are left out.  Of the others
it notes the part of the trail in which they were executed, so that shrinking can remove that part.

The program must be correct without any of the items, too: its check must hold whichever are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


T = TypeVar("T")


class Left:
    """Which of a machine's optional items are left out, and where in the trail the others were."""

    def __init__(self, trail: Sequence[int]) -> None:
        self.trail = trail
        self.out: frozenset[int] = frozenset()
        self.count = 0
        """Items that the set-up has asked for."""
        self.spans: dict[int, tuple[int, int]] = {}
        """Of an item that was gone through: where it began, and behind its last step."""
        self.begun: dict[int, int] = {}
        """Where items began."""

    def begin(self) -> None:
        """A new schedule."""
        self.count = 0
        self.spans.clear()
        self.begun.clear()

    def items(self, items: Sequence[T]) -> Skippable[T]:
        """`items`, numbered."""
        first = self.count
        self.count += len(items)
        return Skippable(self, first, items)

    def enter(self, number: int) -> None:
        """That item begins."""
        self.begun[number] = len(self.trail)

    def leave(self, number: int) -> None:
        """It was gone through."""
        self.spans[number] = self.begun[number], len(self.trail)


class Skippable(Generic[T]):
    """Items for one thread to go through."""

    def __init__(self, left: Left, first: int, items: Sequence[T]) -> None:
        self.left = left
        self.first = first
        self.items = items

    def __iter__(self) -> Iterator[T]:
        left = self.left
        for number, item in enumerate(self.items, self.first):
            if number not in left.out:
                left.enter(number)  # it is noted there, because what is kept here is part of the state
                yield item
                left.leave(number)
