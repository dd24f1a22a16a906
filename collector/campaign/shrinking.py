"""The schedules that failed in a campaign and are to be shrunk: each once, however many tasks have found it."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.campaign.store import Store
    from collector.campaign.task import Outcome, Task


class Shrinking:
    """Knows which schedules are large, and what the others have become."""

    def __init__(self, store: Store) -> None:
        """Those that an earlier run of the campaign has left."""
        self.store = store
        self.large: dict[str, Task] = dict(store.unshrunk())
        """By its token, a task that has found it."""
        self.small: dict[str, Outcome] = {}
        """By the token of the large one."""
        self.places = set[tuple[str, str]]()

    def found(self, task: Task, outcome: Outcome) -> bool:
        """A task that is finished has found a schedule: has it to be shrunk, or is it known?"""
        token = outcome.token
        if token in self.small:
            self.store.shrunk(token, self.small[token])
        if token in self.small or token in self.large:
            return False
        self.large[token] = task
        return True

    def first(self, outcome: Outcome) -> bool:
        """Is it the first one of its kind and place?"""
        before = len(self.places)
        self.places.add((outcome.fault, outcome.place))
        return len(self.places) > before

    def back(self, token: str, outcome: Outcome) -> None:
        """What has come of it: if the process died it stays as it is, and another run of the campaign tries it again."""
        del self.large[token]
        if outcome.verdict == "failed":
            self.small[token] = outcome
            self.store.shrunk(token, outcome)
