"""The record `Kill`: what has failed with a mutant, and after how much."""

from __future__ import annotations

from dataclasses import dataclass


RACE, STRESS = "race", "stress"


@dataclass(frozen=True)
class Kill:
    """The first failure of a check."""

    by: str
    """RACE or STRESS."""
    program: str
    """The race program, or the turn of stress."""
    check: str
    """What failed."""
    schedules: int
    """On the stepped machine: up to the failure, of this program; else 0."""
    seconds: float
    """From the beginning of the first program, or turn, on."""
