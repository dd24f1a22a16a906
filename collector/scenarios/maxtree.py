"""Scenario: a tree of maxima, updated from its leaves by several threads, as in go-weave's maxtree.go.

Each inner word is to be the larger of the two below it.  A thread that stores the maximum it has computed may undo
another's, which has seen a newer leaf.  A compare-and-swap against the value that was there BEFORE the children were
read, and another try if it fails, keeps the two in step.

Modelled.  A tree of one inner word and two leaves, each of which one thread raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Storing:
    """One thread's update: the parent by a store."""

    def __init__(self, port: Port, parent: int, leaves: Sequence[int]) -> None:
        self.port = port
        self.parent = parent
        self.leaves = leaves

    def update(self, leaf: int, value: int) -> None:
        """Raise the leaf, then bring the parent up to date."""
        self.port.store(leaf, value)
        self.propagate()

    def largest(self) -> int:
        """Of the children."""
        return max(self.port.load(leaf) for leaf in self.leaves)

    def propagate(self) -> None:
        """In one go."""
        self.port.store(self.parent, self.largest())


class ReadsLate(Storing):
    """By a swap against a value read after the children."""

    def propagate(self) -> None:
        """A value that another has stored meanwhile is taken for the old one."""
        while True:
            largest = self.largest()
            if self.port.cas(self.parent, self.port.load(self.parent), largest):
                return
            self.port.check()


class Retrying(Storing):
    """By a swap against a value read before the children."""

    def propagate(self) -> None:
        """Until nobody has come in between."""
        while True:
            old = self.port.load(self.parent)
            if self.port.cas(self.parent, old, self.largest()):
                return
            self.port.check()


def updated(kind: type[Storing]) -> Program:
    """Two threads, a leaf each."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        parent = machine.word(0, "parent")
        leaves = [machine.word(0, f"leaf{i}") for i in range(2)]
        for i, leaf in enumerate(leaves):
            machine.spawn(lambda port, i=i, leaf=leaf: kind(port, parent, leaves).update(leaf, i + 1), f"t{i}")  # type: ignore[misc]

        def check() -> None:
            assert machine.peek(parent) == max(map(machine.peek, leaves)), (
                "the parent is not the larger of its children"
            )

        return check

    return program


SCENARIO = Scenario(
    name="maxtree",
    title="A tree of maxima that is updated without a swap forgets a maximum",
    bugs=(),
    variants={
        "failing": Variant(updated(Storing), fails="not the larger of its children"),
        "failing-reads-late": Variant(updated(ReadsLate), fails="not the larger of its children"),
        "fixed": Variant(updated(Retrying)),
    },
)
