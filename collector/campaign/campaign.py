"""Runs a campaign: what is not finished yet is handed to a cluster, and what comes of it is stored as it comes.

A schedule that fails is stored as it was found, and shrunk by whoever is free: the first one of its kind and place next,
others when there is nothing else to do.  One that several tasks have found is shrunk once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from collector.campaign.perform import perform, shrink
from collector.campaign.shrinking import Shrinking
from collector.campaign.task import BAD


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from collector.campaign.cluster import Cluster
    from collector.campaign.perform import Ask
    from collector.campaign.store import Store
    from collector.campaign.task import Outcome, Task

    Work = tuple[Any, ...]
    """A key, a function and what it is called with."""

AHEAD = 4
"""Tasks per process that are handed out: so that none waits for the next one."""
LOOK = 0.25
"""Seconds between two looks whether to stop."""


@dataclass
class Progress:
    """How far it has come."""

    total: int
    done: int
    """Of all, also before."""
    now: int = 0
    """In this run."""
    seconds: float = 0.0
    workers: int = 0
    bad: int = 0

    @property
    def rate(self) -> float:
        """Tasks a second."""
        return self.now / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float:
        """Seconds, if it goes on as it went."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


def run(
    todo: Sequence[tuple[str, Task]],
    store: Store,
    cluster: Cluster,
    ask: Ask,
    progress: Progress,
    told: Callable[[Task, Outcome], object],
    stop: Callable[[], bool],
    seconds: float | None = None,
    *,
    first: bool = False,
) -> bool:
    """Do them all, in so many seconds, and shrink what fails; False if it was stopped, or the time was over.

    With `first`, it ends when a task has come out bad that was not to fail, and that is shrunk.
    """
    begun = monotonic()
    tasks, shrinking = dict(todo), Shrinking(store)
    waiting: deque[Work] = deque((key, perform, task, ask) for key, task in todo)
    waiting += [(token, shrink, task, ask, token) for token, task in shrinking.large.items()]
    ended = False
    while not (stop() or (seconds is not None and monotonic() - begun >= seconds)):
        progress.workers = cluster.tend()
        while waiting and len(cluster.under_way) < AHEAD * max(progress.workers, 1):
            cluster.submit(*waiting.popleft())
        if not cluster.under_way:
            return not ended
        back = cluster.next(LOOK)
        progress.seconds = monotonic() - begun
        if back is None:
            continue
        key, outcome = back
        if key not in tasks:
            shrinking.back(key, outcome)
            continue
        task = tasks[key]
        store.finish(key, outcome)
        bad = outcome.verdict in BAD and not (task.fails and outcome.verdict == "failed")
        progress.done, progress.now, progress.bad = progress.done + 1, progress.now + 1, progress.bad + bad
        if first and bad and not ended:
            ended = True
            cluster.drop()
            waiting.clear()
        if outcome.more.get("unshrunk") and shrinking.found(task, outcome):
            add = waiting.appendleft if shrinking.first(outcome) else waiting.append
            add((outcome.token, shrink, task, ask, outcome.token))
        told(task, outcome)
    return False
