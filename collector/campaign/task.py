"""A task of a campaign: what is to be done, and what has come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

BAD = ("failed", "refused", "lost", "bug")
"""Verdicts that are no pass: a fault; a program that breaks a rule; a process that died or did not end; our own error."""


@dataclass(frozen=True)
class Task:
    """A task.  `inputs` are plain values that decide, with the code, what comes of it; it is sent to other processes."""

    kind: str
    """explore, a program's schedules; and as processes: command, of this command line; pytest; module, of Python."""
    name: str
    inputs: Mapping[str, Any]
    fails: bool = False
    """It is to show a fault: a failing variant, a planted fault."""
    seconds: float | None = None
    """After which it is cut off."""

    def key(self, code: str) -> str:
        """The same for the same task of the same version of the code, and for no other."""
        told = json.dumps([self.kind, self.inputs, self.seconds, code], sort_keys=True)
        return sha256(told.encode()).hexdigest()[:16]


@dataclass
class Outcome:
    """What has come of a task."""

    verdict: str
    """proved, bounded, sampled, undecided, passed; or one of BAD."""
    text: str = ""
    """The claim, or what failed, in a sentence or a line."""
    schedules: int = 0
    steps: int = 0
    states: int = 0
    traces: int = 0
    """Schedules that were not equivalent to another one of the task, where they were told apart."""
    seconds: float = 0.0
    fault: str = ""
    """Its kind: race, deadlock, throw, ..."""
    place: str = ""
    """Its `file:line`."""
    token: str = ""
    """Of the schedule that failed: shrunk, unless `more` says `unshrunk`."""
    worker: str = ""
    """Process and host that did it."""
    more: dict[str, Any] = field(default_factory=dict)
    """What else there is: the summary of a command, the outcomes of tests."""
