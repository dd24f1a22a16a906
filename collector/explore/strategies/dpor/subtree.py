"""DPOR of some subtrees: what one process explores of a search that several share.

Theory of operation.  A `Start` says how to come to the root of a subtree: who takes each step, and who sleeps in the state
before it.  That is taken again like branches of a wake-up tree, so clocks and races are as they were.  Sleepers are told by
their threads, and the values that they choose: the step that each has announced there is looked up again, since a tree only
predicts it.  What the way has in common with that of the start before is not taken again.  The subtree is then explored as
ever, but for two things:

* a race that asks for something to be explored from a state above the root goes to whoever holds the tree there
  (`dpor.frontier`), unless the branches beside the way cover it, as they were when the start was handed out.  What was asked
  for before says nothing of a sequence that is longer: others may have asked meanwhile, and cover the one and not the other;
* when its budget is spent, what is left goes back: the states on the path, each with the branches that were not taken.

Guards.  What is handed back and what was explored are together the subtree, each part once: it is handed back between two
interleavings only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.machine import ops
from collector.explore.prefix import check
from collector.explore.strategies.dpor.dependence import Step, pending
from collector.explore.strategies.dpor.search import DPOR
from collector.explore.strategies.dpor.wakeup import Branch, Flat, asleep, awake, flat, grown, lull, place


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.prefix import Announced
    from collector.explore.strategies.base import Options
    from collector.explore.strategies.dpor.path import Node


Asleep = tuple[tuple[int, int], ...]
"""Threads, each with the value that it chooses, or ANY."""


class Way(NamedTuple):
    """One step of the way to a subtree."""

    thread: int
    value: int
    """That `choose` returns, if the branch prescribes it."""
    asleep: Asleep
    """What is explored from the state before it by others."""
    beside: Flat
    """What is explored from there by others, later."""
    announced: Announced | None = None
    """What the step was, if it was taken before."""


Start = tuple[Way, ...]
"""A subtree: everything that begins with the last step, after those before it."""


class Row(NamedTuple):
    """A state of which something is left."""

    asleep: Asleep
    """What was explored from there."""
    under_way: Announced | None
    """What the first branch's step was; None where the search would go on with the first branch."""
    tree: Flat
    """What is left; where the first branch is under way, the next row says what is left of it."""


class Asked(NamedTuple):
    """Steps that have to be explored from the state before step `depth` of the start of that number."""

    start: int
    depth: int
    steps: tuple[Step, ...]
    sleeping: tuple[Step, ...]
    """Those that are explored from there already."""


@dataclass
class Explored:
    """What has become of the starts."""

    finished: int = 0
    """So many of them are, the first ones."""
    rows: list[Row] = field(default_factory=list)
    """What is left of the next one, from its root down; empty if it was not begun."""
    asked: list[Asked] = field(default_factory=list)
    heads: set[tuple[int, int]] = field(default_factory=set)
    """Steps before which some thread has paused; see `dpor.idle`."""
    complete: int = 0
    """Interleavings that were run to their ends."""


class Subtrees(DPOR):
    """Optimal DPOR of some starts, one after the other, within a budget."""

    exhausted = False  # that is for the whole to say

    def __init__(
        self,
        options: Options,
        starts: Sequence[Start],
        spent: Callable[[int], bool],
        cutting: frozenset[tuple[int, int]] | None = None,
    ) -> None:
        """`spent` says, after so many schedules, whether the budget is.

        With `cutting`, idle turns are cut, which are known by these heads.
        """
        super().__init__(options)
        self.starts = deque(starts)
        self.explored = Explored()
        self.spent = spent
        self.plain = 1 << 62  # whether to begin afresh is for the whole to decide
        if cutting is not None:
            self.cutting = True
            self.idle.heads = set(cutting)
        self.ways: Start = ()
        """The start under way."""
        self.heading = True
        """Its first schedule is still to be run."""
        self.trees: list[list[Branch]] = []
        """Of the first states on the way, what others explore from there."""
        self.asked: list[set[tuple[Step, ...]]] = []
        """What they were asked for, from each state on the way."""
        self.before = 0
        """Interleavings of other starts that were run to their ends."""
        self._head_for_start()

    def _head_for_start(self) -> None:
        """On to the next start, from the last state from which both ways go on alike."""
        before, self.ways = self.ways, self.starts[0] if self.starts else ()
        common = alike(before[: self.floor], self.ways)
        while len(self.path.nodes) > common:
            self.path.pop().tree.clear()  # which the state before still has
        # The step is taken again, as what comes behind it asks what it has done.
        self.branching = self.path.pop() if common else None
        self.heading, self.before = True, self.complete
        self.floor = max(len(self.ways) - 1, 0)
        del self.trees[common:]
        self.asked = [*self.asked[:common], *(set() for _ in self.ways[common:])]

    def _afresh(self) -> None:
        """With the same start; what was asked for is not asked for again."""
        super()._afresh()
        self.heading, self.complete = True, self.before

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        self.heading = False
        return super().begin(machine)

    def _state(self, machine: SteppedMachine) -> Node:
        """On the way to the root of a subtree, with who sleeps there and the step that is to be taken."""
        node = super()._state(machine)
        if node.index < len(self.ways):
            way = self.ways[node.index]
            for t, value in way.asleep:
                lull(node.sleep, pending(machine, t)._replace(value=value), ops.values(machine.expects[t]))
            if way.announced:
                check(machine, way.thread, way.announced)
            node.tree.append(Branch(Step(way.thread, 0, write=False, value=way.value)))
        return node

    def _tree(self, state: Node) -> list[Branch]:
        """As ever, below the root of the subtree; above it what others were to explore when this was handed out."""
        if state.index >= len(self.ways):
            return super()._tree(state)
        while len(self.trees) <= state.index:
            self.trees.append(grown(self.ways[len(self.trees)].beside))
        return self.trees[state.index]

    def _insert(self, state: Node, w: list[Step]) -> bool:
        """As ever, below the root of the subtree; above it others are asked, once."""
        if state.index >= len(self.ways):
            return super()._insert(state, w)
        steps, known, sleeping = tuple(w), self.asked[state.index], tuple(state.sleep.values())
        if steps in known or asleep(sleeping, w) or not place(self._tree(state), sleeping, w)[1]:
            return False
        known.add(steps)
        self.explored.asked.append(Asked(self.explored.finished, state.index, steps, (*sleeping, state.step)))
        return True

    def end(self, machine: SteppedMachine, /) -> None:
        super().end(machine)
        if self.done:
            self.explored.finished += 1
            self.starts.popleft()
            self.done = not self.starts
            self._head_for_start()
        if self.done or self.spent(self.runs):
            self.explored.rows = self._left()
            self.explored.heads = self.idle.heads
            self.explored.complete = self.complete
            self.done = True

    def _left(self) -> list[Row]:
        """What is left of the start under way."""
        if self.heading or self.branching is None:
            return []
        nodes = [*self.path.nodes, self.branching]
        rows = []
        for i in range(self.floor, len(nodes)):
            node, done = nodes[i], tuple(nodes[i].sleep)
            if i:
                # Who slept before does so of itself, and by the step that it had announced then.
                before = awake(nodes[i - 1].sleep, nodes[i - 1].step)
                done = tuple(key for key in done if key not in before)
            if node is self.branching:
                rows.append(Row(done, None, flat(node.tree)))
            else:
                rows.append(Row(done, node.announced, flat(node.tree[:1], lambda _: False) + flat(node.tree[1:])))
        return rows

    def claim(self, schedules: int, /) -> Claim:
        """Of what was not handed back."""
        caveats = self._caveats()
        if self.hindrance or not self.done:
            reason = self.hindrance or "more are left"
            return Claim(Kind.UNDECIDED, self.name, Seen.TRACES, schedules, reason=reason, caveats=caveats)
        return Claim(Kind.PROVED, self.name, Seen.TRACES, schedules, caveats=caveats)


def alike(some: Sequence[Way], others: Sequence[Way]) -> int:
    """How many steps two ways have in common, in the same states."""
    for i, (one, other) in enumerate(zip(some, others, strict=False)):
        if one[:3] != other[:3] or one.announced != other.announced:
            return i
    return min(len(some), len(others))
