"""The records `Scenario`, `Variant` and `Cost`: one question about the protocol, and the variants it is asked of.

A variant is a program for the stepped machine: a function of the machine that sets memory up, spawns threads and returns a
check to make when all have ended (or None).  A changed protocol is a subclass with one method overridden, in the
scenario's own file.  A scenario is one of three kinds:

    fault   a variant fails, and with Go's own fix it does not
    cost    nothing is lost: a figure is counted, at the seed and with Go's later remedy
    sound   it looks wrong and is not: the protocol as it is passes, and fails where what it relies on is taken away
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.explore.program import Program

    Counted = Callable[[list[float]], Program]
    """From a list to a program whose check appends a figure to it."""

FAULT, COST, SOUND = KINDS = ("fault", "cost", "sound")


GROWING = ("portfolio", "exhaustive")
"""Strategies whose bound on preemptions grows from 0."""


@dataclass(frozen=True)
class Variant:
    """One program.  `fails` says what must be found, as a part of the failure's message; empty: nothing may be."""

    program: Program
    fails: str = ""
    exhaustible: bool = True
    """Small enough for DPOR to see every trace."""
    races: bool = True
    """A data race is a failure too; False where the fault races on its way to what it is about."""
    plain_points: bool = False
    """Plain accesses are steps too: the question is about their order."""
    early: int | None = None
    """Pauses of each thread that may end early, if not as many as usual; 0 where there are too many interleavings then."""


@dataclass(frozen=True)
class Cost:
    """What is counted, in a unit that `what` names, of the seed and of Go's remedy; the remedy's figure is the smaller."""

    what: str
    seed: Counted
    fix: Counted
    schedules: int = 20
    """Random schedules over which it is averaged; 1 where nothing depends on the schedule."""


@dataclass(frozen=True)
class Scenario:
    """A named question.  `bugs` are ids of the catalogue (K, O and S) and Go's issues."""

    name: str
    title: str
    bugs: tuple[str, ...]
    variants: Mapping[str, Variant] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    """Options for explore that this scenario wants, such as the preemptions its fault needs."""
    kind: str = FAULT
    costs: tuple[Cost, ...] = ()
    originals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of go-weave's model: by variant, failures and paths, as its own engine counted them."""

    def preemptions(self, strategy: str) -> int | None:
        """The bound that its fault needs; for dpor none, which has a bound only where it is given one."""
        return self.limits.get("preemptions") if strategy in GROWING else None
