"""The interface of a strategy, and the base class of those that draw schedules at random."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from random import Random
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Protocol

from collector.explore.claim import sampled


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.explore.claim import Claim
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine


@dataclass(frozen=True)
class Options:
    """What `explore` was asked for that strategies care about."""

    seed: int = 1
    schedules: int = 10_000
    """Budget: no more complete executions than these."""
    preemptions: int | None = None
    """Exhaustive: the highest bound; None goes on until the bound cuts nothing off."""
    depth: int | None = None
    """PCT: the depth of fault to look for; None goes round 2 to 5."""
    races: bool = False
    """Data races are looked for."""


GRAIN = 0.01
"""Seconds between two looks at the processor's clock, at least."""


@dataclass(frozen=True)
class Budget:
    """How much of a search one process does before it hands back the rest; without limits all of it."""

    runs: int | None = None
    """Interleavings."""
    seconds: float | None = None
    """Of the processor: on a busy machine a part is to be as large as on an idle one."""
    least: float = inf
    """Seconds before which it does not end because somebody else has nothing to do."""

    def begun(self, hungry: Callable[[], bool] = lambda: False) -> Callable[[int], bool]:
        """From now on: after so many runs, is it spent?  `hungry` says whether somebody has nothing to do."""
        begun, runs = process_time(), inf if self.runs is None else self.runs
        seconds = inf if self.seconds is None else self.seconds
        due = perf_counter() + min(seconds, self.least)

        def spent(done: int) -> bool:
            nonlocal due
            if done >= runs:
                return True
            # A thread's time on the processor goes no faster, and where processes wait for it, to ask for it costs a turn.
            if perf_counter() < due:
                return False
            due = perf_counter() + GRAIN
            used = process_time() - begun
            return used >= seconds or (used >= self.least and hungry())

        return spent


class Strategy(Protocol):
    """Picks one schedule after another."""

    name: str
    observes: bool
    """The memory that it runs programs in notes what they read and write without a step (`machine.observed`)."""

    @property
    def exhausted(self) -> bool:
        """Everything has been seen."""

    @property
    def done(self) -> bool:
        """Nothing is left that this strategy would explore."""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        """How to pick and draw for the next schedule; the program has been set up.  See `SteppedMachine.run`."""

    def end(self, machine: SteppedMachine, /) -> None:
        """The schedule has ended; its trail is still there."""

    def outlook(self, schedules: int, /) -> str:
        """After `schedules` schedules, for a display: how much is left, as far as that can be told."""

    def claim(self, schedules: int, /) -> Claim:
        """The claim, if `schedules` schedules passed."""


class Sampler:
    """The base class of strategies that draw schedules at random."""

    name = "sampler"
    observes = False
    exhausted = False
    done = False

    def __init__(self, options: Options) -> None:
        self.rng = Random(options.seed)

    def draw(self, _i: int, n: int) -> int:
        """Any of the values, equally likely."""
        return self.rng.randrange(n)

    def end(self, _machine: SteppedMachine, /) -> None:
        """Does nothing: the next schedule does not depend on this one."""

    def outlook(self, _schedules: int, /) -> str:
        """There is always more to draw."""
        return ""

    def claim(self, schedules: int, /) -> Claim:
        """What random schedules can say."""
        return sampled(schedules, self.name)


def share_done(path: Iterable[tuple[int, int]]) -> float:
    """The share of its tree that a depth-first search has done, if all subtrees beside each other are of one size.

    `path` has, per choice on the current path, how many of the alternatives are done, and how many there are (Knuth, 1975).
    """
    share, width = 0.0, 1.0
    for done, alternatives in path:
        width *= alternatives
        share += done / width
    return share


def left(schedules: int, path: Iterable[tuple[int, int]]) -> str:
    """How much a depth-first search has left that has run `schedules`; see `share_done`."""
    share = share_done(path)
    return f"{share:.2%} done, about {schedules / share - schedules:,.0f} left" if share else "just begun"


class Drawn(dict[int, float]):
    """A number per thread, drawn when it is first looked at: threads may be spawned at any time."""

    def __init__(self, draw: Callable[[], float]) -> None:
        super().__init__()
        self.draw = draw

    def __missing__(self, t: int) -> float:
        v = self[t] = self.draw()
        return v
