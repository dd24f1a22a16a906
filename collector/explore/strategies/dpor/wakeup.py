"""Wake-up trees of optimal DPOR: the sequences of steps that still have to be explored from a state.

The tree holds sequences of steps, in order from left to right.  Exploration takes the leftmost branch and hands its
subtree on to the state behind it.  A race found later asks for a sequence `w` to be covered: if a branch of the tree
can be taken first on some interleaving equivalent to `w`, what is left of `w` goes below that branch, and nothing is
added if that is a leaf, which stands for everything that begins so.  Else `w` becomes a new branch at the right, as far as
somebody sleeps who would not be tried otherwise: what comes behind that is found from there.
(Abdulla, Aronis, Jonsson and Sagonas, Optimal dynamic partial order reduction, 2014 and 2017.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.strategies.dpor.dependence import ANY, dependent, independent_of_all, initial


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collector.explore.strategies.dpor.dependence import Step


Sleep = dict[tuple[int, int], "Step"]
"""Steps that sleep in a state, by their threads and the values that are chosen there, or ANY."""


class Branch:
    """A step and what is known to come after it."""

    __slots__ = ("children", "step")

    def __init__(self, step: Step, children: list[Branch] | None = None) -> None:
        self.step = step
        self.children = [] if children is None else children


def insert(children: list[Branch], sleeping: Iterable[Step], w: Sequence[Step]) -> bool:
    """Make the tree of a state where some are `sleeping` cover `w`; False if it did already."""
    left, sleeping = list(w), list(sleeping)
    while left:
        for branch in children:
            if not covers(branch.step, left):
                sleeping.append(branch.step)
                continue
            if not branch.children:
                return False
            sleeping = [step for step in sleeping if not dependent(step, branch.step)]
            children = branch.children
            break
        else:
            children.append(chain(needed(left, sleeping)))
            return True
    return False


def covers(step: Step, left: list[Step]) -> bool:
    """Can it be taken first on an interleaving equivalent to what is left?  Then it is taken out of there."""
    at = initial(left, step)
    if at >= 0:
        del left[at]
    return at >= 0 or (at == -1 and independent_of_all(step, left))


def needed(w: Sequence[Step], sleeping: Iterable[Step]) -> Sequence[Step]:
    """The beginning of `w` behind which nobody sleeps any more."""
    for number, step in enumerate(w, start=1):
        sleeping = [sleeper for sleeper in sleeping if not dependent(sleeper, step)]
        if not sleeping:
            return w[:number]
    return w


def decided(children: list[Branch], u: Sequence[Step]) -> bool:
    """Does the tree cover whatever begins with `u`, and will it as long as branches are added at the right alone?"""
    left = list(u)
    while left:
        for branch in children:
            at = initial(left, branch.step)
            if at >= 0:
                del left[at]
                break
            if at == -1 and independent_of_all(branch.step, left):
                return False  # that depends on what comes after `u`
        else:
            return False
        if not branch.children:
            return True
        children = branch.children
    return False


def covered(children: list[Branch], w: Sequence[Step]) -> bool:
    """Does the tree cover `w`?"""
    left = list(w)
    while left:
        branch = next((branch for branch in children if covers(branch.step, left)), None)
        if branch is None:
            return False
        if not branch.children:
            return True
        children = branch.children
    return True


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
