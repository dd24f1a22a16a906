"""The wake-up trees of a DPOR search that several processes share, above what was handed out.

Theory of operation.  What is handed out are leaves: everything that begins so, whatever turns up later.  A state above a
leaf stays here, also one behind a single branch, so that whatever a race asks for from there finds its place:

* it looks to the right of the branch that it comes from: what is to the left sleeps there, and whoever asks has looked;
* where it can begin with a branch that was handed out as a leaf it is covered, however far that one has come;
* where it can begin with another branch its rest goes below that, and else it is a new branch at the right.

So each trace is explored once, as in the search by one process, in which all of these would still be to come
(Abdulla et al., 2017).  What is left of a leaf that comes back hangs below it: states of which some branches are done.

Guards.  A leaf is WAITING, OUT or DONE; what comes back of one that is not OUT is refused, so nothing is counted twice.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from collector.explore.strategies.dpor.dependence import Step
from collector.explore.strategies.dpor.subtree import Start, Way
from collector.explore.strategies.dpor.twigs import (
    ROOT,
    Status,
    Twig,
    chain,
    count,
    hang,
    nested,
    path_to,
    turn,
    waiting,
)
from collector.explore.strategies.dpor.wakeup import flat, place


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.explore.strategies.dpor.subtree import Asked, Explored, Row


FEW = 100
"""So many entries of leaves that wait no more, and as many as of those that do, may be in the heap."""


class Leaf:
    """A leaf that was handed out."""

    def __init__(self, path: list[Twig], ways: dict[Twig, Way]) -> None:
        self.path = path
        """From the root."""
        self.start = start_of(path, ways)

    def place(self) -> tuple[int, ...]:
        """Of two leaves the one further left in the tree is less."""
        return tuple(above.children.index(twig) for above, twig in pairwise(self.path))

    @property
    def twig(self) -> Twig:
        """The leaf itself."""
        return self.path[-1]


def start_of(path: Sequence[Twig], known: dict[Twig, Way]) -> Start:
    """How to come to the last branch of a path.

    `known` is of paths that are handed out at the same time, and is added to: most begin alike, and a way that several
    have in common is sent once.
    """
    ways = []
    for above, twig in pairwise(path):
        way = known.get(twig)
        if way is None:
            at = above.children.index(twig)
            asleep = (*above.asleep, *[(left.step.thread, left.step.value) for left in above.children[:at]])
            beside = flat(above.children[at + 1 :], lambda twig: not twig.whole)
            way = known[twig] = Way(twig.step.thread, twig.step.value, asleep, beside, twig.announced)
        ways.append(way)
    return tuple(ways)


class Frontier:
    """The tree, from the state before the first step on."""

    def __init__(self, root: Twig | None = None, leaves: Sequence[Twig] = ()) -> None:
        """Nothing is explored, or what is below `root`, with those `leaves`, is left."""
        self.root = root or Twig(ROOT)
        self.queue: list[tuple[int, int, Twig]] = []
        """A heap of leaves that wait, and of what did: by their number of steps, then as they came."""
        self.number = 0
        """Of those that came."""
        self._come(leaves or [self.root])

    @property
    def done(self) -> bool:
        """Everything was explored."""
        return self.root.done

    @property
    def waiting(self) -> int:
        """Leaves that could be handed out."""
        return self.root.waiting

    def leaves(self, most: int) -> list[Leaf]:
        """Hand out leaves that wait, `most` at most: where there is one of the fewest steps, which more begins with.

        They are next to each other, so most begin alike, and what is alike is taken once.
        """
        if len(self.queue) > 2 * self.waiting + FEW:
            self.queue = [entry for entry in self.queue if entry[2].status is Status.WAITING]
            heapify(self.queue)
        while self.queue[0][2].status is not Status.WAITING:
            heappop(self.queue)
        path = path_to(self.queue[0][2])
        above = next((twig for twig in reversed(path) if twig.waiting >= most), self.root)
        ways: dict[Twig, Way] = {}
        found = []
        for twig in islice(waiting(above), most):
            path = path_to(twig)
            turn(path, Status.OUT)
            twig.whole = True
            found.append(Leaf(path, ways))
        return found

    def _come(self, leaves: Iterable[Twig]) -> None:
        """They wait from now on."""
        for leaf in leaves:
            self.number += 1
            heappush(self.queue, (len(path_to(leaf)), self.number, leaf))

    def back(self, leaves: Sequence[Leaf], explored: Explored) -> None:
        """The leaves have come back: what was asked for from above them, and what is left of them."""
        if any(leaf.twig.status is not Status.OUT for leaf in leaves):
            raise RuntimeError("a leaf has come back that was not handed out")
        for asked in explored.asked:
            self._come(insert(leaves[asked.start].path, asked))
        for number, leaf in enumerate(leaves):
            turn(leaf.path, Status.DONE if number < explored.finished else Status.WAITING)
            if number < explored.finished:
                forget(leaf.path)
            elif number == explored.finished and explored.rows:
                self._come(graft(leaf.path, explored.rows))
            else:
                self._come([leaf.twig])
        self._prune()

    def again(self, leaves: Sequence[Leaf]) -> None:
        """Whoever had the leaves has died: they wait again."""
        for leaf in leaves:
            turn(leaf.path, Status.WAITING)
            self._come([leaf.twig])

    def _prune(self) -> None:
        """Forget what is done and has nothing to its left that goes on: nobody will ask for anything below that."""
        state = self.root
        while state.children:
            gone = 0
            while gone < len(state.children) and state.children[gone].done:
                gone += 1
            if gone == len(state.children):
                state.children, state.status = [], Status.DONE
            else:
                state.asleep += tuple((twig.step.thread, twig.step.value) for twig in state.children[:gone])
                del state.children[:gone]
                state = state.children[0]


def forget(path: Sequence[Twig]) -> None:
    """What is below a branch that was handed out, and is done: nobody looks there, since the branch covers it."""
    for twig in path[1:]:
        if twig.whole and twig.done:
            twig.children, twig.status = [], Status.DONE
            return


def insert(way: Sequence[Twig], asked: Asked) -> list[Twig]:
    """Have what was asked for explored, by the leaf at the end of a path.

    Returns the leaf that waits for that, unless another one covers it.
    """
    path = list(way[: asked.depth + 1])
    children = path[-1].children
    right = children[children.index(way[asked.depth + 1]) + 1 :]
    below, more = place(right, asked.sleeping, asked.steps, lambda twig: twig.whole or not twig.children)
    if not more:
        return []
    path += below
    first, last = chain(more)
    hang(path[-1], first)
    count(path, waiting=1)
    return [last]


def graft(path: Sequence[Twig], rows: Sequence[Row]) -> list[Twig]:
    """Hang what is left of a leaf, which waits, below it: the leaf is at the end of the path.  Returns the leaves."""
    found: list[Twig] = []
    path[-1].status = Status.DONE  # it is no leaf any more
    if len(path) > 1:
        # The first row is the state before the leaf's own step, which may have become several: the values of a choice.
        above, leaf = path[-2:]
        at = above.children.index(leaf)
        grown = grow(rows[0].tree, found)
        for twig in grown:
            twig.whole, twig.above = True, above
        above.children[at : at + 1] = grown
        count(path[:-1], waiting=len(grown) - 1)
        path = [*path[:-1], grown[0]]
        if rows[0].under_way is None:
            return found
        path[-1].announced = rows[0].under_way
        rows = rows[1:]
    path = list(path)
    for row in rows:
        state = path[-1]
        state.asleep = row.asleep
        hang(state, *grow(row.tree, found))
        count(path, waiting=sum(twig.waiting for twig in state.children) - 1)
        if row.under_way is None:
            break
        path.append(state.children[0])
        path[-1].announced = row.under_way
    return [twig for twig in found if not twig.children]


def grow(tree: Sequence[tuple[int, Step]], leaves: list[Twig]) -> list[Twig]:
    """The branches of a wake-up tree that was sent; those where it ends are added to `leaves`."""
    return nested(((depth, Twig(step)) for depth, step in tree), leaves)


def record(frontier: Frontier) -> list[list[Any]]:
    """The tree as plain values, for JSON: a leaf that is out waits."""
    rows: list[list[Any]] = []
    todo = [(0, frontier.root)]
    while todo:
        depth, twig = todo.pop()
        step = [*twig.step[:4], sorted(twig.step.guard), twig.step.aim]
        status = Status.WAITING if twig.status is Status.OUT else twig.status
        rows.append([depth, step, status, twig.whole, twig.asleep, twig.announced])
        todo += [(depth + 1, child) for child in reversed(twig.children)]
    return rows


def restored(rows: Iterable[Sequence[Any]]) -> Frontier:
    """The tree that `record` has told."""
    leaves: list[Twig] = []
    (root,) = nested(((row[0], _twig(row)) for row in rows), leaves)
    return Frontier(root, leaves)


def _twig(row: Sequence[Any]) -> Twig:
    _, (t, cell, write, value, guard, aim), status, whole, asleep, announced = row
    twig = Twig(Step(t, cell, write, value, frozenset(guard), aim))
    twig.status, twig.whole, twig.asleep = Status(status), whole, tuple(map(tuple, asleep))
    twig.announced = tuple(announced) if announced else None
    return twig
