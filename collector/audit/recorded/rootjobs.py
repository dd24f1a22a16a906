"""I12 in the recorded events: each root job is executed once a round, and every goroutine's stack scanned in the scan phase.

A marker goes through its share of the jobs in order; a jump is the begin of a share or comes after a theft.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.recorded.happened import Happened, Judge
from mutator.phase import GCmark, GCoff, GCscan
from workbuf.events import Event


if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.audit.recorded.happened import Handlers
    from collector.audit.recorded.stops import Stops

GOROUTINES = 5
"""Root jobs that are none of a goroutine's; job GOROUTINES + n is goroutine n's stack."""


class Living:
    """Which goroutines had not ended, as far as the whole recording tells, before and behind any hole.

    Threads 1 to `mutators` are Ms with a goroutine, that of the same number; `last` is each thread's last event; `closed`:
    nothing came after it.
    """

    def __init__(self, mutators: int, last: Mapping[int, Happened], *, closed: bool) -> None:
        self.mutators = mutators
        self.last = last
        self.closed = closed

    def after(self, g: int, event: Happened, *, helps: bool) -> bool:
        """Must goroutine `g` have been there at `event`?  `helps`: thread `g` has none.

        Those beyond the threads are parked for ever.
        """
        last = None if helps else self.last.get(g)
        if last is None:
            return not 0 < g <= self.mutators
        return last.time > event.time or (self.closed and last.kind in (Event.BLOCK, Event.SYSCALL))


class RootJobs(Judge):
    """Judges each round of root jobs, from their preparation to the next change of the phase."""

    rule = "roots"

    def __init__(self, stops: Stops, living: Living, *, whole: bool) -> None:
        super().__init__(whole=whole)
        self.stops = stops
        self.living = living
        self.opened: Happened | None = None
        self.times: list[int] = []
        self.at: dict[int, int] = {}
        """The last job of each thread; -1 after a theft."""
        self.all = False
        """Is this a phase in which every stack is scanned?"""
        self.scanned: set[tuple[int | str, int]] = set()
        """Goroutine and thread that scanned it, in this phase."""
        self.missed: list[tuple[Happened, int]] = []
        """The end of a phase, and a goroutine not scanned in it: it must have ended."""

    def handlers(self) -> Handlers:
        return {
            Event.ROOTS: self.open,
            Event.ROOT: self.root,
            Event.STEAL: self.steal,
            Event.SCANSTACK: self.scan,
            Event.PHASE: self.change,
        }

    def open(self, event: Happened, _: Happened | None) -> None:
        """So many jobs, for so many markers."""
        self.opened = event
        self.times = [0] * int(event.a)
        self.at = {}

    def root(self, event: Happened, _: Happened | None) -> None:
        """One of them is taken."""
        if not self.opened:
            if self.whole:
                self.find(event, f"root job {event.a} is executed, and none were prepared")
            return
        job, jobs, nproc = int(event.a), int(self.opened.a), self.opened.b
        if job >= jobs:
            self.find(event, f"root job {job} is executed, and there are {jobs}")
            return
        self.times[job] += 1
        if self.times[job] > 1:
            self.find(event, f"root job {job} is executed a second time")
        last = self.at.get(event.thread)
        begins = last == -1 or (last is None and any(job == jobs * i // nproc for i in range(nproc)))
        if not begins and job != (last or 0) + 1:
            self.find(
                event, f"root job {job} follows {'none' if last is None else last} in one thread, without a theft"
            )
        self.at[event.thread] = job

    def steal(self, event: Happened, _: Happened | None) -> None:
        """Some of another share's jobs."""
        if event.b < 1:
            self.find(event, "steals no job")
        self.at[event.thread] = -1

    def scan(self, event: Happened, _: Happened | None) -> None:
        """A stack has been scanned."""
        who = (event.a, event.thread)
        if who in self.scanned:
            self.find(event, f"scans the stack of goroutine {event.a} twice in one phase")
        self.scanned.add(who)

    def change(self, event: Happened, _: Happened | None) -> None:
        """The phase: with the scan and with mark termination all jobs are done."""
        if event.a in (GCmark, GCoff) and self.opened:
            missed = [job for job, times in enumerate(self.times) if not times]
            if missed:
                self.find(event, f"the phase is over, and root job {missed[0]} was not executed")
            goroutines = range(int(self.opened.a) - GOROUTINES) if self.all else self.stops.ran
            done = {goroutine for goroutine, _ in self.scanned}
            self.missed += [(event, g) for g in goroutines if g not in done]
        # After a concurrent mark only those that have run since they were scanned.
        self.all = event.a == GCscan or event.b == GCoff
        self.scanned = set()
        self.opened = None

    def finish(self) -> None:
        for event, g in self.missed:
            if self.living.after(g, event, helps=g in self.stops.helpers):
                self.find(event, f"the phase is over, and the stack of goroutine {g} was not scanned")
