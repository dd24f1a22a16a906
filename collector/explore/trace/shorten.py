"""Shortens a long trace for readers: folds repetitions, and leaves out the middle of what is still too long.

Of a livelock it keeps the steps up to the cycle, and one turn of the cycle.  Equal turns of a waiting loop are shown once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.trace.step import Schedule, Step


MOST = 400
"""Longest part that is shown in full, in steps."""
LONGEST = 12
"""Longest sequence that is recognised as repeated, in steps."""
SEVERAL = 3
"""Least number of repetitions."""


class Repetition(NamedTuple):
    """The last `steps` steps are repeated `times` times, until the step of that number."""

    steps: int
    times: int
    until: int


class Omission(NamedTuple):
    """This many steps are not shown."""

    steps: int


class CycleStart(NamedTuple):
    """The steps that follow repeat for ever."""


Shortened = list["Step | Repetition | Omission | CycleStart"]


def shortened(schedule: Schedule) -> Shortened:
    """The steps of a schedule, shortened; without the start entry."""
    into, circle = schedule.course
    if schedule.lasso is None:
        return middle_left_out(list(into[1:]))
    return [*middle_left_out(folded(into[1:])), CycleStart(), *middle_left_out(list(circle))]


def folded(steps: Sequence[Step]) -> Shortened:
    """`steps`, with repetitions in a row folded."""
    parts: Shortened = []
    at = 0
    for begin, end, length in repeats(steps):
        parts += steps[at:begin]
        parts.append(Repetition(length, (end - begin) // length, steps[end - 1].number))
        at = end
    return [*parts, *steps[at:]]


def repeats(steps: Sequence[Step]) -> Iterator[tuple[int, int, int]]:
    """Repeated sequences of up to LONGEST steps: where the first repetition begins, where the last ends, the length."""
    at = 0
    while at < len(steps):
        for length in range(1, LONGEST + 1):
            end = at + length
            # Step for step the same as `length` steps before.
            while end < len(steps) and steps[end].like(steps[end - length]):
                end += 1
            times = (end - at) // length
            if times >= SEVERAL:
                end = at + times * length
                yield at + length, end, length
                at = end - 1
                break
        at += 1


def middle_left_out(parts: Shortened) -> Shortened:
    """`parts`, or its beginning and its end if it is too long."""
    if len(parts) <= MOST:
        return parts
    half = MOST // 2
    return [*parts[:half], Omission(len(parts) - 2 * half), *parts[-half:]]
