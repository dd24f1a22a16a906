"""Wake-up trees of optimal DPOR: the sequences of steps that still have to be explored from a state.

The tree holds sequences of steps, in order from left to right.  Exploration takes the leftmost branch and hands its
subtree on to the state behind it.  A race found later asks for a sequence `w` to be covered: if a branch of the tree
can be taken first on some interleaving equivalent to `w`, what is left of `w` goes below that branch, and nothing is
added if that is a leaf, which stands for everything that begins so.  Else `w` becomes a new branch at the right, as far as
somebody sleeps who would not be tried otherwise: what comes behind that is found from there.
(Abdulla, Aronis, Jonsson and Sagonas, Optimal dynamic partial order reduction, 2014 and 2017.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from collector.explore.strategies.dpor.dependence import ANY, dependent, initial


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from collector.explore.strategies.dpor.dependence import Step


Sleep = dict[tuple[int, int], "Step"]
"""Steps that sleep in a state, by their threads and the values that are chosen there, or ANY."""
Flat = list[tuple[int, "Step"]]
"""A wake-up tree: its branches in order, each with how deep it is; it may be nested too deep to be sent as it is."""


class Branch:
    """A step and what is known to come after it."""

    __slots__ = ("children", "step")

    def __init__(self, step: Step, children: list[Branch] | None = None) -> None:
        self.step = step
        self.children = [] if children is None else children


class Tree(Protocol):
    """A branch of any kind."""

    @property
    def step(self) -> Step:
        """That it begins with."""

    @property
    def children(self) -> Sequence[Self]:
        """What comes behind it."""


T = TypeVar("T", bound=Tree)


def leaf(branch: Tree) -> bool:
    """Does it stand for everything that begins so?"""
    return not branch.children


def place(
    tree: Sequence[T], sleeping: Iterable[Step], w: Sequence[Step], whole: Callable[[T], bool] = leaf
) -> tuple[list[T], Sequence[Step]]:
    """Along which branches `w` goes, and what of it has to be added behind the last of them: nothing if they cover it.

    `sleeping` are the steps that are explored from the state; a branch may stand as a `whole` for all that begins with it.
    """
    left, sleeping, path = list(w), list(sleeping), list[T]()
    while left:
        for branch in tree:
            at = initial(left, branch.step)
            if at >= -1:
                break
            sleeping.append(branch.step)
        else:
            return path, needed(left, sleeping)
        path.append(branch)
        if whole(branch):
            break
        if at >= 0:
            del left[at]
        sleeping = [step for step in sleeping if not dependent(step, branch.step)]
        tree = branch.children
    return path, ()


def needed(w: Sequence[Step], sleeping: Iterable[Step]) -> Sequence[Step]:
    """The beginning of `w` behind which nobody sleeps any more."""
    for number, step in enumerate(w, start=1):
        sleeping = [sleeper for sleeper in sleeping if not dependent(sleeper, step)]
        if not sleeping:
            return w[:number]
    return w


def insert(tree: list[Branch], sleeping: Iterable[Step], w: Sequence[Step]) -> bool:
    """Make the tree cover `w`; False if it did already."""
    path, more = place(tree, sleeping, w)
    if more:
        (path[-1].children if path else tree).append(chain(more))
    return bool(more)


def decided(tree: list[Branch], u: Sequence[Step]) -> bool:
    """Does the tree cover whatever begins with `u`, and will it as long as branches are added at the right alone?"""
    left = list(u)
    while left:
        branch, at = next(((branch, at) for branch in tree if (at := initial(left, branch.step)) >= -1), (None, -1))
        if branch is None or at < 0:
            return False  # where `u` has no such step, it depends on what comes after `u`
        if leaf(branch):
            return True
        del left[at]
        tree = branch.children
    return False


def chain(w: Sequence[Step]) -> Branch:
    """A tree of one sequence."""
    branch = Branch(w[-1])
    for step in reversed(w[:-1]):
        branch = Branch(step, [branch])
    return branch


def flat(tree: Sequence[T], below: Callable[[T], bool] = lambda _: True) -> Flat:
    """The branches of a tree, without those under one for which `below` is false."""
    rows: Flat = []
    todo = [(0, branch) for branch in reversed(tree)]
    while todo:
        depth, branch = todo.pop()
        rows.append((depth, branch.step))
        if below(branch):
            todo += [(depth + 1, child) for child in reversed(branch.children)]
    return rows


def grown(rows: Flat) -> list[Branch]:
    """The tree that `flat` has told."""
    path: list[list[Branch]] = [[]]
    for depth, step in rows:
        branch = Branch(step)
        del path[depth + 1 :]
        path[depth].append(branch)
        path.append(branch.children)
    return path[0]


def asleep(sleeping: Iterable[Step], w: Sequence[Step]) -> bool:
    """Can one of the `sleeping` steps be taken first on an interleaving equivalent to `w`?  Then `w` was explored."""
    return any(initial(w, step) >= -1 for step in sleeping)


def awake(sleeping: Sleep, taken: Step) -> Sleep:
    """Who still sleeps when `taken` is taken: those whose step does not depend on it."""
    return {key: step for key, step in sleeping.items() if not dependent(step, taken)}


def lull(sleeping: Sleep, step: Step, values: int) -> None:
    """The step sleeps from now on; one that chooses does so when all its `values` do, and other values wait till then."""
    t, value = step.thread, step.value
    sleeping[t, value] = step
    if value != ANY and all((t, each) in sleeping for each in range(values)):
        for each in range(values):
            del sleeping[t, each]
        sleeping[t, ANY] = step._replace(value=ANY)
