"""The branches of the wake-up trees above what was handed out (`dpor.frontier`), and how many leaves are below each."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from collector.explore.strategies.dpor.dependence import Step


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from collector.explore.prefix import Announced
    from collector.explore.strategies.dpor.subtree import Asleep


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
        "out",
        "status",
        "step",
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
        self.asleep: Asleep = ()
        """What was explored from the state behind it, beside done children."""
        self.announced: Announced | None = None

    @property
    def done(self) -> bool:
        """All that begins so was explored, as far as is known."""
        return not self.waiting and not self.out


ROOT = Step(-1, 0, write=False)


def path_to(twig: Twig | None) -> list[Twig]:
    """From the root."""
    path = []
    while twig:
        path.append(twig)
        twig = twig.above
    return path[::-1]


def waiting(above: Twig) -> Iterator[Twig]:
    """The leaves at or below it that wait, from left to right."""
    todo = [above]
    while todo:
        twig = todo.pop()
        if twig.children:
            todo += [child for child in reversed(twig.children) if child.waiting]
        elif twig.status is Status.WAITING:
            yield twig


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


def hang(above: Twig, *twigs: Twig) -> None:
    """Make them the last branches of the state behind another."""
    above.children += twigs
    for twig in twigs:
        twig.above = above


def chain(w: Sequence[Step]) -> tuple[Twig, Twig]:
    """Branches of one sequence: the first and the last one."""
    twigs = [Twig(step) for step in w]
    for above, twig in pairwise(twigs):
        hang(above, twig)
    return twigs[0], twigs[-1]


def nested(twigs: Iterable[tuple[int, Twig]], leaves: list[Twig]) -> list[Twig]:
    """Hang each twig, told with how deep it is, below the last one that is less deep; the uppermost.

    Those that wait are added to `leaves`.
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
    leaves += (twig for twig in order if not twig.children and twig.status is Status.WAITING)
    return top
