"""What a thread does from one step to the next: a finite automaton whose transitions depend on what is in memory.

Between two of its steps a thread is in a *local state*: where its code stands, what it keeps in Python (`state.capture`),
and the step that it has announced.  What it does next follows from that and from what it finds in memory.  So each local
state has a decision tree: which cell is looked at first, and for each value found there which one is looked at next, down
to a *transition*: what is written, and the next local state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Accesses(NamedTuple):
    """Cells that a thread touches from one step to the next."""

    step: int = -1
    """That of the step, unless it is made to race or there is none."""
    writes: frozenset[int] = frozenset()
    """Cells that are written, with or without effect."""
    plain_reads: frozenset[int] = frozenset()
    plain_writes: frozenset[int] = frozenset()

    @property
    def plain(self) -> bool:
        """Are there any that can race with an atomic?"""
        return bool(self.plain_reads or self.plain_writes)

    def race(self, other: Accesses) -> bool:
        """Is there a cell that both touch, one plainly, one writing?"""
        return not (
            self.plain_reads.isdisjoint(other.writes)
            and other.plain_reads.isdisjoint(self.writes)
            and self.plain_writes.isdisjoint({*other.plain_reads, *other.writes, other.step})
            and other.plain_writes.isdisjoint({*self.plain_reads, *self.writes, self.step})
        )


class Transition(NamedTuple):
    """What a thread does from one step to the next, having found in memory what it has."""

    writes: tuple[tuple[int, int], ...]
    """Cells and what is left in them."""
    tells: bool
    """The step tells those who have read its cell."""
    unheard: frozenset[int]
    """Of the cells that are written, those of which nobody tells who waits for a lock or a note there."""
    accesses: Accesses
    target: Local


class Ask:
    """What the thread does depends on what is in `cell`."""

    __slots__ = ("answers", "cell")

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.answers: dict[int, Ask | Transition] = {}
        """By value; what is not there has not been seen yet."""


class Local:
    """A local state of one thread."""

    __slots__ = ("addr", "kind", "next", "number", "paused")

    def __init__(self, number: int, kind: int, addr: int, *, paused: bool) -> None:
        self.number = number
        self.kind = kind
        """Of the step that comes next."""
        self.addr = addr
        self.paused = paused
        self.next: Ask | Transition | None = None

    def find(self, found: Mapping[int, int]) -> Transition | None:
        """The transition from here where these cells hold that, if it is known.

        Raises KeyError if a cell is asked for that is not among them.
        """
        node = self.next
        while isinstance(node, Ask):
            node = node.answers.get(found[node.cell])
        return node

    def add(self, found: Sequence[tuple[int, int]], transition: Transition) -> bool:
        """From here on that transition is known, where cells, asked in this order, hold that; False if it contradicts."""
        if not found:
            self.next = self.next or transition
            return self.next is transition
        at = self.next = self.next or Ask(found[0][0])
        for k, (cell, value) in enumerate(found):
            if not isinstance(at, Ask) or at.cell != cell:
                return False
            last = k + 1 == len(found)
            at = at.answers.setdefault(value, transition if last else Ask(found[k + 1][0]))
        return at is transition
