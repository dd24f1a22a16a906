"""Runs rounds of a primitive's stress until the time is over, and adds up what they counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from collector.audit.violation import Violation
from workbuf.hardware.selftest import AUTO


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbuf.hardware.machine import HardwareMachine


@dataclass(frozen=True)
class Settings:
    """What a round may depend on."""

    seed: int
    binding: str = AUTO
    jitter: float = 0.0
    countbits: int = 19


class Round(Protocol):
    """Threads set up on a machine."""

    machine: HardwareMachine

    def check(self) -> Counter[str]:
        """Called when they have ended: what they counted.  Raises a Violation if something is wrong."""


@dataclass(frozen=True)
class Primitive:
    """A scenario of stress without a heap."""

    name: str
    what: str
    unit: str
    """Of the number."""
    round: Callable[[Settings], Round]
    number: Callable[[Counter[str]], float]
    least: float
    """From which number on the mechanism counts as driven."""
    counts: tuple[str, ...] = ()
    """What it counts, beside the rounds."""
    explored: Mapping[str, str] = field(default_factory=dict)
    """Scenarios of the stepped machine that show how a violation of that kind comes about."""


@dataclass
class Outcome:
    """What a run has come to."""

    rounds: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None


def run(
    primitive: Primitive, settings: Settings, seconds: float, patience: float, ticked: Callable[[], object]
) -> Outcome:
    """Round after round, each with the next seed; a failure ends it and is in the outcome.

    A round that does not end within `patience` seconds hangs.  `ticked` is called about every 50 ms, by the main thread.
    """
    outcome = Outcome()
    began = monotonic()
    while outcome.failure is None and outcome.seconds < seconds:
        now = Settings(settings.seed + outcome.rounds, settings.binding, settings.jitter, settings.countbits)
        since = monotonic()

        def tick(since: float = since) -> None:
            ticked()
            if monotonic() - since > patience:
                raise Violation("hang", f"a round has not ended after {patience:g} s")

        try:
            this = primitive.round(now)
            this.machine.run(tick)
            outcome.counts += this.check()
        except BaseException as error:  # noqa: BLE001  reported by the caller
            outcome.failure = error
        outcome.rounds += 1
        outcome.seconds = monotonic() - began
    return outcome
