"""Processes that run parts of one search, over `concurrent.futures`; one that dies costs its part's time and no more.

Theory of operation.  If a process dies, all that were begun are broken (`BrokenProcessPool`), and nobody knows whose part
did it.  So all that did not come back run again in new processes, and those that were there twice when one died run alone:
then it is known.  One that dies ALONE times by itself is given up.

Guards.  A part has come back or it has not: it is in `under_way` until its result is taken out, once.  Processes look at
two bytes that tell them to stop, or to share, without a lock, since one that is killed would keep that; they end when their
parent has.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from collector.campaign.part import Worker


if TYPE_CHECKING:
    from concurrent.futures import Future

    from collector.campaign.part import Back, Part, Question

CONTEXT = multiprocessing.get_context("spawn")
SUSPECT = 2
"""Times that a part was under way when a process died, after which it runs alone."""
ALONE = 3
"""Times that it may die alone."""


class Work(NamedTuple):
    """A part, where it comes from, and the seconds that it has."""

    source: Any
    part: Part
    seconds: float | None


class Pool:
    """So many processes; closed at the end of a `with` statement."""

    def __init__(self, jobs: int, question: Question) -> None:
        self.jobs = jobs
        self.question = question
        self.stopped: Any = CONTEXT.RawValue("b", 0)
        self.hungry: Any = CONTEXT.RawValue("b", 0)
        self.executor: ProcessPoolExecutor | None = None
        self.under_way: dict[Future[Back], Work] = {}
        self.again: deque[Work] = deque()
        """What was under way when a process died."""
        self.broken = False
        """A process died while it had nothing to do: new ones are to be begun."""
        self.deaths: dict[tuple[str, int], int] = {}
        self.died = 0
        """Processes that died, or several at once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._end()

    @property
    def idle(self) -> int:
        """How many more parts should be under way: one waits for the first process that is free."""
        return 0 if self.again else self.jobs + 1 - len(self.under_way)

    def share(self) -> None:
        """Tell those that run parts whether one of them has nothing to do: then they give back what is left of theirs."""
        self.hungry.value = len(self.under_way) < self.jobs and not self.again

    def submit(self, work: Work) -> None:
        """Have a part run."""
        if self.executor is None:
            self.executor = ProcessPoolExecutor(self.jobs, CONTEXT, begin, (self.question, self.stopped, self.hungry))
            # All begin at once.  One that began on demand while the executor buries another would be waited for, for ever.
            self.executor._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            self.under_way[self.executor.submit(run_here, work.part, work.seconds)] = work
        except BrokenProcessPool:
            self.broken = True
            self.again.append(work)

    def stop(self) -> None:
        """Tell all to come to an end."""
        self.stopped.value = 1

    def wait(self, seconds: float) -> tuple[list[tuple[Work, Back]], list[Work]]:
        """What has come back by then, and what was given up.  Raises what a part has raised."""
        self._resume()
        done, _ = wait(self.under_way, seconds, FIRST_COMPLETED)
        back: list[tuple[Work, Back]] = []
        died: list[Work] = []
        for future in done:
            work = self.under_way.pop(future)
            try:
                back.append((work, future.result()))
            except BrokenProcessPool:
                died.append(work)
        return back, self._bury(died) if died or self.broken else []

    def _resume(self) -> None:
        """Run again what was under way when a process died: one alone, if it is suspect."""
        while self.again and not self.broken:
            suspect = self._deaths(self.again[0]) >= SUSPECT
            if suspect and self.under_way:
                return
            self.submit(self.again.popleft())
            if suspect:
                return

    def _deaths(self, work: Work) -> int:
        return self.deaths.get((work.source.name, work.part.number), 0)

    def _end(self) -> None:
        """End all processes, of which none has anything to do that is waited for."""
        if self.executor:
            # One that was killed while it waited for work may hold the lock on what tells the others that there is no more.
            for process in list((self.executor._processes or {}).values()):  # noqa: SLF001  kill_workers, from 3.14 on
                process.kill()
            self.executor.shutdown(wait=True, cancel_futures=True)
            self.executor = None

    def _bury(self, died: list[Work]) -> list[Work]:
        """A process has died: all that was under way is to run again, but for what is given up, which is returned."""
        self.died += 1
        self.broken = False
        died += self.under_way.values()
        self.under_way.clear()
        self._end()
        given_up: list[Work] = []
        for work in died:
            deaths = self.deaths[work.source.name, work.part.number] = self._deaths(work) + 1
            (given_up if deaths >= SUSPECT + ALONE else self.again).append(work)
        self.again = deque(sorted(self.again, key=self._deaths))
        return given_up


class Here(NamedTuple):
    """What a process of the pool knows."""

    worker: Worker
    stopped: Any
    hungry: Any


HERE: list[Here] = []
"""One, in a process of a pool."""


def begin(question: Question, stopped: Any, hungry: Any) -> None:  # noqa: ANN401  bytes in shared memory
    """What a process of the pool does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent tells what that means
    Thread(target=end_with_parent, name="parent", daemon=True).start()
    HERE[:] = [Here(Worker(question), stopped, hungry)]


def end_with_parent() -> None:
    """Wait until the parent is gone, and go."""
    parent = multiprocessing.parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os._exit(1)


def run_here(part: Part, seconds: float | None) -> Back:
    """Run a part in a process of the pool."""
    (here,) = HERE
    stopped, hungry = (lambda: bool(here.stopped.value)), (lambda: bool(here.hungry.value))
    return here.worker.run(part, seconds, stopped, hungry)
