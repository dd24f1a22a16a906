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

from enum import IntEnum
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from collector.explore.strategies.dpor.dependence import Step, independent_of_all, initial
from collector.explore.strategies.dpor.subtree import Start, Way


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.explore.prefix import Announced
    from collector.explore.strategies.dpor.subtree import Explored, Row


NEW = 1 << 30
"""As the index of the first step whose races nobody has covered: to be found out when it is handed out."""


class Status(IntEnum):
    """How far a leaf has come."""

    WAITING = 0
    OUT = 1
    DONE = 2


class Twig:
    """A branch: a step, and what is known of the state behind it."""

    __slots__ = (
        "above",
        "announced",
        "asleep",
        "children",
        "new",
        "out",
        "status",
        "step",
        "taken",
        "waiting",
        "whole",
    )

    def __init__(self, step: Step) -> None:
        self.step = step
        self.above: Twig | None = None
        self.children: list[Twig] = []
        self.status = Status.WAITING
        """If it is a leaf."""
        self.waiting, self.out = 1, 0
        """Leaves at or below it that wait, or are handed out."""
        self.whole = False
        """It was handed out as a leaf."""
        self.taken = False
        """Somebody has taken it, or was sent to."""
        self.new = NEW
        self.asleep: tuple[int, ...] = ()
        """Threads whose steps were explored from the state behind it, beside those of done children."""
        self.announced: Announced | None = None

    @property
    def done(self) -> bool:
        """All that begins so was explored, as far as is known."""
        return not self.waiting and not self.out


ROOT = Step(-1, 0, write=False)


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
    """How to come to the last branch of a path; from now on all of them are taken.

    `known` is of paths that are handed out at the same time, and is added to: most begin alike, and a way that several
    have in common is sent once.
    """
    ways = []
    for above, twig in pairwise(path):
        way = known.get(twig)
        if way is None:
            left = above.children[: above.children.index(twig)]
            asleep = (*above.asleep, *[sibling.step.thread for sibling in left])
            way = known[twig] = Way(twig.step.thread, twig.step.value, asleep, twig.announced)
        ways.append(way)
    first = next((i for i, twig in enumerate(path[1:]) if not twig.taken), len(ways))
    if first < len(ways) and path[first + 1].step.value > 0:
        first = 0  # what comes after another value races with all that was before
    leaf = path[-1]
    leaf.new = min(leaf.new, first)
    for twig in path[1:]:
        twig.taken = True
    return Start(tuple(ways), leaf.new)


def path_to(twig: Twig | None) -> list[Twig]:
    """From the root."""
    path = []
    while twig:
        path.append(twig)
        twig = twig.above
    return path[::-1]


class Frontier:
    """The tree, from the state before the first step on."""

    def __init__(self, root: Twig | None = None, leaves: Sequence[Twig] = ()) -> None:
        """Nothing is explored, or what is below `root`, with those `leaves`, is left."""
        self.root = root or Twig(ROOT)
        self.queue: list[tuple[int, int, Twig]] = []
        """A heap of leaves that wait, and of what were some: by their number of steps, then as they came."""
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
        """Hand out leaves that wait, `most` at most: those of the fewest steps, which more begins with than with others."""
        found: list[Leaf] = []
        ways: dict[Twig, Way] = {}
        while self.queue and len(found) < most:
            _, _, twig = heappop(self.queue)
            if twig.status is Status.WAITING and not twig.children:
                path = path_to(twig)
                turn(path, Status.OUT)
                twig.whole = True
                found.append(Leaf(path, ways))
        # From left to right, as each begins more like the one before than like others: what is alike is not taken again.
        found.sort(key=Leaf.place)
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
            self._come(insert(leaves[asked.start].path, asked.depth, asked.steps))
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
                state.asleep += tuple(twig.step.thread for twig in state.children[:gone])
                del state.children[:gone]
                state = state.children[0]


def forget(path: Sequence[Twig]) -> None:
    """What is below a branch that was handed out, and is done: nobody looks there, since the branch covers it."""
    for twig in path[1:]:
        if twig.whole and twig.done:
            twig.children, twig.status = [], Status.DONE
            return


def turn(path: Sequence[Twig], status: Status) -> None:
    """Give the leaf at the end of a path another status, and count."""
    was = path[-1].status
    path[-1].status = status
    count(path, (status is Status.WAITING) - (was is Status.WAITING), (status is Status.OUT) - (was is Status.OUT))


def count(path: Iterable[Twig], waiting: int, out: int = 0) -> None:
    """So many more leaves wait, or are handed out, at the end of a path."""
    for twig in path:
        twig.waiting += waiting
        twig.out += out


def insert(way: Sequence[Twig], depth: int, w: Sequence[Step]) -> list[Twig]:
    """Have the steps `w` explored from the state before step `depth` of a path, which its leaf has asked for.

    Returns the leaf that waits for that, unless another one covers it.
    """
    left, path = list(w), list(way[: depth + 1])
    children = path[-1].children
    right = children[children.index(way[depth + 1]) + 1 :]
    while left:
        for twig in right:
            at = initial(left, twig.step)
            if at >= 0:
                del left[at]
            elif at == -2 or not independent_of_all(twig.step, left):
                continue
            if twig.whole or not twig.children:
                return []
            path.append(twig)
            right = twig.children
            break
        else:
            first, last = chain(left)
            hang(path[-1], first)
            count(path, waiting=1)
            return [last]
    return []


def hang(above: Twig, *twigs: Twig) -> None:
    """Make them the last branches of the state behind another."""
    above.children += twigs
    for twig in twigs:
        twig.above = above


def chain(w: Sequence[Step]) -> tuple[Twig, Twig]:
    """Branches of one sequence: the first and the last one."""
    first = last = Twig(w[0])
    for step in w[1:]:
        hang(last, Twig(step))
        last = last.children[0]
    return first, last


def graft(path: Sequence[Twig], rows: Sequence[Row]) -> list[Twig]:
    """Hang what is left of a leaf, which waits, below it: the leaf is at the end of the path.  Returns the leaves."""
    found: list[Twig] = []
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
        path[-1].taken, path[-1].announced = True, rows[0].under_way
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
        path[-1].taken, path[-1].announced = True, row.under_way
    return found


def grow(tree: Sequence[tuple[int, Step]], leaves: list[Twig]) -> list[Twig]:
    """The branches of a wake-up tree that was sent; those where it ends are added to `leaves`."""
    return nested(((depth, Twig(step)) for depth, step in tree), leaves)


def nested(twigs: Iterable[tuple[int, Twig]], leaves: list[Twig]) -> list[Twig]:
    """Hang each twig, told with how deep it is, below the last one that is less deep; the uppermost.

    Those that nothing hangs below are added to `leaves`.
    """
    top: list[Twig] = []
    path: list[Twig] = []
    order: list[Twig] = []
    for depth, twig in twigs:
        del path[depth:]
        if path:
            hang(path[-1], twig)
        else:
            top.append(twig)
        path.append(twig)
        order.append(twig)
    for twig in reversed(order):
        twig.waiting = sum(child.waiting for child in twig.children) if twig.children else twig.status is Status.WAITING
    leaves += (twig for twig in order if not twig.children)
    return top


def record(frontier: Frontier) -> list[list[Any]]:
    """The tree as plain values, for JSON: a leaf that is out waits."""
    rows: list[list[Any]] = []
    todo = [(0, frontier.root)]
    while todo:
        depth, twig = todo.pop()
        step = [*twig.step[:4], sorted(twig.step.guard), twig.step.aim]
        status = Status.WAITING if twig.status is Status.OUT else twig.status
        rows.append([depth, step, status, twig.whole, twig.taken, twig.new, twig.asleep, twig.announced])
        todo += [(depth + 1, child) for child in reversed(twig.children)]
    return rows


def restored(rows: Iterable[Sequence[Any]]) -> Frontier:
    """The tree that `record` has told."""
    leaves: list[Twig] = []
    (root,) = nested(((row[0], _twig(row)) for row in rows), leaves)
    return Frontier(root, leaves)


def _twig(row: Sequence[Any]) -> Twig:
    _, (t, cell, write, value, guard, aim), status, whole, taken, new, asleep, announced = row
    twig = Twig(Step(t, cell, write, value, frozenset(guard), aim))
    twig.status, twig.whole, twig.taken, twig.new = Status(status), whole, taken, new
    twig.asleep = tuple(asleep)
    twig.announced = tuple(announced) if announced else None
    return twig
