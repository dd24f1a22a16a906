"""Wake-up trees of optimal DPOR: the sequences of steps that still have to be explored from a state.

The tree holds sequences of steps, in order from left to right.  Exploration takes the leftmost branch and hands its
subtree on to the state behind it.  A race found later asks for a sequence `w` to be covered: if a branch of the tree
can be taken first on some interleaving equivalent to `w`, what is left of `w` goes below that branch, and nothing is
added if that is a leaf, which stands for everything that begins so.  Else `w` becomes a new branch at the right.  Nothing is
added either below a branch where nobody sleeps any more: what is asked for above is there for those who sleep, as whoever
sleeps is not tried, and so cannot find it; everything else is found from there.
(Abdulla, Aronis, Jonsson and Sagonas, Optimal dynamic partial order reduction, 2014 and 2017.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.dpor.dependence import dependent, independent_of_all, initial


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.explore.strategies.dpor.dependence import Step


class Branch:
    """A step and what is known to come after it."""

    __slots__ = ("children", "step")

    def __init__(self, step: Step, children: list[Branch] | None = None) -> None:
        self.step = step
        self.children = [] if children is None else children


def insert(children: list[Branch], sleeping: Iterable[Step], w: Sequence[Step]) -> bool:
    """Make the tree of a state where some are `sleeping` cover `w`; False if it did already."""
    children, left = place(children, sleeping, w)
    if left:
        children.append(chain(left))
    return bool(left)


def place(children: list[Branch], sleeping: Iterable[Step], w: Sequence[Step]) -> tuple[list[Branch], list[Step]]:
    """Where in the tree `w` branches off, and what is left of it there; nothing if the tree covers it."""
    left, sleeping = list(w), list(sleeping)
    while left:
        for branch in children:
            at = initial(left, branch.step)
            if at >= 0:
                del left[at]
            elif at == -2 or not independent_of_all(branch.step, left):
                sleeping.append(branch.step)
                continue
            sleeping = [step for step in sleeping if not dependent(step, branch.step)]
            if not branch.children or not sleeping:
                return children, []
            children = branch.children
            break
        else:
            break
    return children, left


def decided(children: list[Branch], sleeping: Iterable[Step], u: Sequence[Step]) -> bool:
    """Does the tree cover whatever begins with `u`, and will it as long as branches are added at the right alone?"""
    left, sleeping = list(u), list(sleeping)
    while left:
        for branch in children:
            at = initial(left, branch.step)
            if at >= 0:
                del left[at]
                break
            if at == -1 and independent_of_all(branch.step, left):
                return False  # that depends on what comes after `u`
            sleeping.append(branch.step)
        else:
            return False
        sleeping = [step for step in sleeping if not dependent(step, branch.step)]
        if not branch.children or not sleeping:
            return True
        children = branch.children
    return False


def chain(w: Sequence[Step]) -> Branch:
    """A tree of one sequence."""
    branch = Branch(w[-1])
    for step in reversed(w[:-1]):
        branch = Branch(step, [branch])
    return branch


def asleep(sleeping: Iterable[Step], w: Sequence[Step]) -> bool:
    """Can one of the `sleeping` steps be taken first on an interleaving equivalent to `w`?  Then `w` was explored."""
    for step in sleeping:
        at = initial(w, step)
        if at >= 0 or (at == -1 and independent_of_all(step, w)):
            return True
    return False


def awake(sleeping: dict[int, Step], taken: Step) -> dict[int, Step]:
    """Who still sleeps when `taken` is taken: those whose step does not depend on it."""
    return {t: step for t, step in sleeping.items() if not dependent(step, taken)}
