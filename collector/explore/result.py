"""The result of an exploration: its counts, its failure, its claim."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from collector.explore.claim import NOTHING, Claim, Kind
from collector.explore.trace.trace import trace
from workbuf.counted import counted


if TYPE_CHECKING:
    from collector.explore.races.report import Race
    from collector.explore.trace.step import Schedule


@dataclass(frozen=True)
class Failure:
    """The first schedule that failed."""

    kind: str
    """throw, assertion, exception, check, invariant, deadlock, livelock, endless, race."""
    message: str
    schedule: str
    """A token for `replay`."""
    record: Schedule = field(compare=False, repr=False)
    """The schedule step by step, as data."""
    where: str = ""
    """Source line that raised, `file:line`."""
    steps: int = 0
    preemptions: int = 0
    """Times that another thread went on although the running one could have."""

    @property
    def raised_at(self) -> tuple[str, str] | None:
        """File and number of the line that raised; None if no line did, and of a race, whose report has both lines."""
        file, _, line = self.where.rpartition(":")
        return (file, line) if file and self.kind != "race" else None

    @cached_property
    def trace(self) -> str:
        """The schedule step by step: a column per thread, names and values."""
        return trace(self.record)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass
class Result:
    """An exploration's account of itself."""

    strategy: str
    seed: int
    schedules: int = 0
    """Complete executions run."""
    pruned: int = 0
    """Executions begun and cut off as redundant."""
    failure: Failure | None = None
    steps: int = 0
    """Steps taken in all executions."""
    seconds: float = 0.0
    races: list[Race] = field(default_factory=list)
    """Pairs of lines that race, each pair once."""
    states: int = 0
    """Different states seen, where the strategy counts them."""
    traces: int = 0
    """Schedules that differ in more than the order of independent steps, where samplers are watched for a display."""
    distinct: list[int] = field(default_factory=list)
    """From which it is told how many traces several searches have seen together (`strategies.distinct`)."""
    outlook: str = ""
    """How much is left, or how much is new, as far as that can be told."""
    shrunk: tuple[int, int, int] = (0, 0, 0)
    """Deviations from the default schedule before and after shrinking, and the schedules run for it."""
    found_by: str = ""
    """The strategy that failed first, where several take turns."""
    claim: Claim = NOTHING
    """What this result shows."""
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no warning."""

    @property
    def exhausted(self) -> bool:
        """Every inequivalent interleaving, or every state, was seen, and passed."""
        return self.claim.kind is Kind.PROVED

    @property
    def statement(self) -> str:
        """The claim in a sentence."""
        return str(self.claim)

    def __str__(self) -> str:
        head = f"{self.strategy}: {counted(self.schedules, 'schedule')}"
        if self.pruned:
            head += f", {self.pruned} pruned"
        return f"{head}, {self.seconds:.2f} s, seed {self.seed}.  {self.statement}"
