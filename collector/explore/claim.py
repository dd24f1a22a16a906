"""The claim of an exploration (proved, bounded, sampled, undecided, failed or refused), and its grounds, as a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from workbuf.counted import counted


class Kind(StrEnum):
    """The six kinds, the strongest pass first."""

    PROVED = "proved"
    """Every inequivalent interleaving, or every state, of a program that was checked to be the same on every run."""
    BOUNDED = "bounded"
    """Every interleaving with at most `bound` preemptions."""
    SAMPLED = "sampled"
    """Some schedules, with a bound on what that can have missed."""
    UNDECIDED = "undecided"
    """Nothing failed, and something stands in the way of saying more: `reason`."""
    FAILED = "failed"
    """A fault that happened in a schedule, which was run again."""
    REFUSED = "refused"
    """The program breaks a rule of the machine: `reason`, `where`."""


class Seen(StrEnum):
    """What was counted."""

    SCHEDULES = "schedules"
    TRACES = "traces"
    """Interleavings of which no two are equivalent."""
    REPRESENTATIVES = "representatives"
    """Schedules to one of which each other one is equivalent; some of them are to each other."""
    STATES = "states"


MISSED = 0.05
"""Chance that a fault is missed which shows in the share `Claim.probability` of schedules."""


@dataclass(frozen=True)
class Claim:
    """What is claimed of a program."""

    kind: Kind
    by: str = ""
    """The strategy."""
    seen: Seen = Seen.SCHEDULES
    number: int = 0
    """Of what was seen."""
    bound: int | None = None
    """Preemptions."""
    probability: float | None = None
    """Share of schedules: a fault that shows in more of them would have been found, with a chance of 1 - MISSED."""
    reason: str = ""
    """Why nothing stronger is claimed, what failed, or which rule was broken, in a clause."""
    where: str = ""
    """`file:line`, where something failed or broke a rule."""
    compared: int = 0
    """Steps checked for determinism: compared with an earlier run that had made the same choices."""
    caveats: tuple[str, ...] = ()
    """What the claim does not cover, a clause each."""

    @property
    def passed(self) -> bool:
        """Nothing was found to be wrong."""
        return self.kind not in (Kind.FAILED, Kind.REFUSED)

    @property
    def record(self) -> dict[str, Any]:
        """The fields that say something, for JSON."""
        return {
            name: value for name, value in asdict(self).items() if value not in ("", None, (), 0) or name == "bound"
        }

    @property
    def within(self) -> str:
        """How many preemptions a schedule may have that the claim is about."""
        return f"at most {counted(self.bound or 0, 'preemption')}"

    def __str__(self) -> str:
        said = _SAYS[self.kind](self)
        same = f"The program is the same from run to run, as far as {self.compared:,} steps compared tell."
        told = [said, *([same] if self.kind is Kind.PROVED and self.compared else [])]
        return "  ".join([*told, *(f"{caveat[0].upper()}{caveat[1:]}." for caveat in self.caveats)])


NOTHING = Claim(Kind.UNDECIDED, reason="nothing was run")
UNCHECKED = (
    "Python runs with -O, which leaves out assert statements, and so checks: run it without -O and PYTHONOPTIMIZE"
)


def checked(claim: Claim) -> Claim:
    """The claim; undecided where the interpreter leaves out what a program asserts, unless something failed all the same."""
    if __debug__ or not claim.passed:
        return claim
    return replace(claim, kind=Kind.UNDECIDED, reason=UNCHECKED)


def sampled(number: int, by: str) -> Claim:
    """What can be claimed after random schedules that passed, by the rule of three."""
    if not number:
        return NOTHING
    return Claim(Kind.SAMPLED, by, number=number, probability=min(1.0, 3 / number))


def _proved(claim: Claim) -> str:
    if claim.seen in {Seen.TRACES, Seen.REPRESENTATIVES}:
        if claim.number == 1:
            return "Every interleaving is equivalent to the one that was run, and that passed."
        return f"Every interleaving is equivalent to one of the {claim.number} that were run, and those passed."
    if claim.seen is Seen.STATES and not claim.number:
        return "No thread takes a step, so there is one interleaving, and it passed."
    if claim.seen is Seen.STATES:
        return f"All {claim.number} states were seen, and passed; schedules that came to a known one were cut off."
    return "Every interleaving was run, and passed."


def _bounded(claim: Claim) -> str:
    if claim.seen is Seen.REPRESENTATIVES:
        one = claim.number == 1
        ends = "the one that was run, and that" if one else f"one of the {claim.number} that were run, and those"
        return f"Every schedule with {claim.within} ends as {ends} passed; those with more were not all run."
    return f"All schedules with {claim.within} passed; those with more were not all run."


def _sampled(claim: Claim) -> str:
    if claim.number == 1:
        return "The schedule passed, which says nothing of others."
    return (
        f"{claim.number} schedules by {claim.by} passed, which is no proof: a fault that shows in a share of "
        f"{claim.probability:.2g} of them would have been missed with a chance of {MISSED:.0%}."
    )


def _undecided(claim: Claim) -> str:
    if not claim.number:
        return f"{claim.reason[0].upper()}{claim.reason[1:]}."
    traces = claim.seen is Seen.TRACES
    what = counted(claim.number, "interleaving" if traces else str(claim.seen).removesuffix("s"))
    unlike = ", no two of them equivalent," if traces and claim.number > 1 else ""
    return f"{what}{unlike} passed, which is no proof: {claim.reason}."


def _failed(claim: Claim) -> str:
    return f"Failed, found by {claim.by}: {claim.reason}" if claim.by else f"Failed: {claim.reason}"


def _refused(claim: Claim) -> str:
    return f"Refused: {f'{claim.where}: ' if claim.where else ''}{claim.reason}"


_SAYS = {
    Kind.PROVED: _proved,
    Kind.BOUNDED: _bounded,
    Kind.SAMPLED: _sampled,
    Kind.UNDECIDED: _undecided,
    Kind.FAILED: _failed,
    Kind.REFUSED: _refused,
}
