"""The records `Scenario` and `Variant`: one question about the protocol, and the variants it is asked of.

A variant is a program for the stepped machine: a function of the machine that sets memory up, spawns threads and returns a
check to make when all have ended (or None).  A changed protocol is a subclass with one method overridden, in the
scenario's own file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.explore.program import Program


@dataclass(frozen=True)
class Variant:
    """One program.  `fails` says what must be found, as a part of the failure's message; empty: nothing may be."""

    program: Program
    fails: str = ""
    exhaustible: bool = True
    """Small enough for DPOR to see every trace."""
    races: bool = True
    """A data race is a failure too; False where the fault races on its way to what it is about."""


@dataclass(frozen=True)
class Scenario:
    """A named question.  `bugs` are ids of the catalogue and Go's issues."""

    name: str
    title: str
    bugs: tuple[str, ...]
    variants: Mapping[str, Variant] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    """Options for explore that this scenario wants, such as the preemptions its fault needs."""
