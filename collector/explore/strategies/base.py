"""What the engine asks of a strategy."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collector.explore.machine import Draw, Pick, SteppedMachine


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


class Strategy(Protocol):
    """Picks one schedule after another."""

    name: str

    @property
    def exhausted(self) -> bool:
        """Everything has been seen."""

    @property
    def done(self) -> bool:
        """There is nothing left that this strategy would look at."""

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        """How to pick and draw for the next schedule; the program has been set up.  See `SteppedMachine.run`."""

    def end(self, machine: SteppedMachine, /) -> None:
        """The schedule has ended; its trail is still there."""

    def statement(self, schedules: int, /) -> str:
        """What it is worth that `schedules` schedules passed, in a sentence."""


class Sampler:
    """What the strategies have in common that draw schedules at random."""

    name = "sampler"
    exhausted = False
    done = False

    def __init__(self, options: Options) -> None:
        self.rng = Random(options.seed)

    def draw(self, _i: int, n: int) -> int:
        """Any of the values, equally likely."""
        return self.rng.randrange(n)

    def end(self, _machine: SteppedMachine, /) -> None:
        """Nothing to learn."""

    def statement(self, schedules: int) -> str:
        """What random schedules can say."""
        return passed(schedules, self.name)


def passed(schedules: int, by: str) -> str:
    """What random schedules that passed are worth, by the rule of three."""
    if not schedules:
        return "Nothing was run."
    share = min(1.0, 3 / schedules)
    return (
        f"{schedules} schedules by {by} passed, which is no proof: a fault that shows in a share of {share:.2g} of them "
        "would have been missed with a chance of 5 %."
    )
