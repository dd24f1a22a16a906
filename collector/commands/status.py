"""The exit statuses of all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.explore.claim import Claim

OK = 0
"""All held, as far as the claim says: proved, bounded, sampled, undecided."""
VIOLATION = 1
"""A fault was found."""
USAGE = 2
"""Bad usage, unreadable input, an output that cannot be written, or a program that breaks a rule of the machine."""
WEAKER = 3
"""Less was shown than --require asks for."""
BUG = 70
"""An error of our own."""
INTERRUPTED = 130

ENOUGH = {"": (), "proved": ("proved",), "bounded": ("proved", "bounded")}
"""For each value of --require, the kinds of claim that satisfy it."""


def status(claim: Claim, require: str = "") -> int:
    """The exit status for a claim."""
    if claim.kind == "failed":
        return VIOLATION
    if claim.kind == "refused":
        return USAGE
    return WEAKER if require and claim.kind not in ENOUGH[require] else OK
