"""Shortens a long trace for readers: folds repetitions, and leaves out the middle of what is still too long.

Of a livelock it keeps the steps up to the cycle, and one turn of the cycle.  Equal turns of a waiting loop are shown once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.explore.trace.step import Schedule, Step


MOST = 400
"""Steps of a part that are shown in full."""
LONGEST = 12
"""Steps of a turn that is recognised."""
SEVERAL = 3
"""Times that it has to come."""


class Again(NamedTuple):
    """The last `steps` steps come `times` times more, until the step of that number."""

    steps: int
    times: int
    until: int


class LeftOut(NamedTuple):
    """So many steps are not shown."""

    steps: int


class Forever(NamedTuple):
    """What follows comes again and again."""


Story = list["Step | Again | LeftOut | Forever"]


def shortened(schedule: Schedule) -> Story:
    """What is worth telling of a schedule, its start left out."""
    into, circle = schedule.course
    if schedule.lasso is None:
        return middle_left_out(list(into[1:]))
    return [*middle_left_out(folded(into[1:])), Forever(), *middle_left_out(list(circle))]


def folded(steps: Sequence[Step]) -> Story:
    """`steps`, but what comes several times in a row only once."""
    story: Story = []
    at = 0
    for begin, end, length in repeats(steps):
        story += steps[at:begin]
        story.append(Again(length, (end - begin) // length, steps[end - 1].number))
        at = end
    return [*story, *steps[at:]]


def repeats(steps: Sequence[Step]) -> Iterator[tuple[int, int, int]]:
    """Where a turn of up to LONGEST steps repeats itself: where the first repetition begins, the last ends, and how long."""
    at = 0
    while at < len(steps):
        for length in range(1, LONGEST + 1):
            end = at + length
            # Step for step the same as one turn before.
            while end < len(steps) and steps[end].like(steps[end - length]):
                end += 1
            times = (end - at) // length
            if times >= SEVERAL:
                end = at + times * length
                yield at + length, end, length
                at = end - 1
                break
        at += 1


def middle_left_out(story: Story) -> Story:
    """`story`, or its beginning and end."""
    if len(story) <= MOST:
        return story
    half = MOST // 2
    return [*story[:half], LeftOut(len(story) - 2 * half), *story[-half:]]
