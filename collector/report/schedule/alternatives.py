"""What would have come of it if another thread had gone: for each step, where the threads that could lead to.

Each is run as its own schedule: the steps before are the same, then the other thread goes, and from there on the default.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collector.explore.program import no_collection
from collector.explore.replay import Replay
from collector.explore.token import FORMAT
from collector.explore.trace.trace import text


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.program import Invariant, Program

FEW = 4
"""Threads of a step that are followed, the first in order."""
MOST_STEPS = 10_000
"""Steps taken for one page; those whose turn comes later are not followed."""
SHOWN = 12
"""Steps of each that are kept."""


@dataclass(frozen=True)
class Lead:
    """Where it leads that another thread goes."""

    steps: tuple[tuple[int, str], ...]
    """The first ones from there on: the thread, and what it does."""
    more: int
    """How many come behind those."""
    failure: str
    """Empty if it ends well."""
    token: str


def leads(again: Replay, program: Program, invariants: Sequence[Invariant] = ()) -> dict[tuple[int, int], Lead]:
    """By place in the trail and thread: where it leads; `again` was replayed with its sources."""
    found: dict[tuple[int, int], Lead] = {}
    taken = 0
    with no_collection():
        for step in again.schedule.steps[1:]:
            for other in step.others[:FEW]:
                if taken >= MOST_STEPS:
                    return found
                lead, steps = followed(again, step.place, other.thread, program, invariants)
                found[step.place, other.thread] = lead
                taken += steps
    return found


def followed(
    again: Replay, place: int, thread: int, program: Program, invariants: Sequence[Invariant]
) -> tuple[Lead, int]:
    """Where it leads that `thread` goes at that place; and the steps taken to see it."""
    before = tuple(deviation for deviation in again.token.deviations if deviation[0] < place)
    token = replace(again.token, deviations=(*before, (place, thread)), steps=0, digest=0, limit=0, format=FORMAT)
    other = Replay(token, program, invariants)
    schedule, fault = other.schedule, other.fault
    behind = [(step.thread, text(step, schedule.threads)) for step in schedule.steps[1:] if step.place >= place]
    failure = f"{fault.kind}: {fault.message}" if fault else ""
    token = replace(token, steps=other.steps, digest=other.digest)
    return Lead(tuple(behind[:SHOWN]), max(len(behind) - SHOWN, 0), failure, token.encode()), other.steps
