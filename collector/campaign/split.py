"""One program's search over several processes.

Theory of operation.  Sources hand out parts and take back what has become of them (`campaign.part`); whose part is next is
whoever has had the least of the time for its share.  For ALONE seconds this process runs them itself: most programs are
decided by then, and processes take as long to start.  Samplers, bounded search and DPOR can be split; the portfolio is all
of them, with the state search in a process of its own, after it has run as ever for a while.

Guards.  Counts and trees change together, when a part has come back whole.  A proof is claimed when a source has got back
all that it handed out, and whatever stood in the way of a part's claim stands in its way, too.

Where it matters that pauses end early (`explore.early`), everything begins again, with pauses that do.

When a part fails nothing new is begun.  Of the failures in what was under way the first one is told, in the order of its
source: that of the least seed, or of the least branch of the tree.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from collector.campaign.part import Worker
from collector.campaign.pool import Pool, Work
from collector.campaign.samples import Seeds
from collector.campaign.traces import Traces
from collector.campaign.trees import Trees
from collector.campaign.whole import States
from collector.explore import explore
from collector.explore.claim import NOTHING, Claim, Kind, Seen, checked
from collector.explore.result import Result
from collector.explore.strategies.base import Budget
from collector.explore.strategies.once import Once
from collector.explore.strategies.portfolio import strength


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.campaign.part import Back, Part, Question, Source

ALONE = 2.0
"""Seconds before there are other processes."""
PORTFOLIO = 5.0
"""Seconds that the portfolio runs as ever first."""
WAIT = 0.25
"""Seconds between two looks at the clock, and two calls of `progress`."""
HERE = 1.0
"""Seconds of a part that this process runs itself, after which it looks whether there are to be others."""
COUNTS = ("schedules", "pruned", "steps")
SAMPLERS = ("random", "urw", "pct", "pos", "surw")
TREES = ("exhaustive", "dfs")


def sources(question: Question, jobs: int) -> list[Source]:
    """Who hands out parts; raises ValueError for a strategy that cannot be split."""
    strategy = question.strategy
    if strategy in SAMPLERS:
        return [Seeds(question)]
    if strategy in TREES:
        return [Trees(question)]
    if strategy == "dpor" and question.preemptions is not None:
        raise ValueError("--strategy dpor with --preemptions cannot be split; exhaustive can")
    if strategy == "dpor":
        return [Traces(question)]
    if strategy == "portfolio":
        found: list[Source] = [Seeds(question, 0.30), Traces(question, 0.60), Trees(question, 0.10)]
        return [*found, States()] if jobs > 1 else found
    raise ValueError(
        f"--strategy {strategy} cannot be split; {', '.join((*SAMPLERS, *TREES, 'dpor', 'portfolio'))} can"
    )


class Split:
    """A search under way."""

    def __init__(self, question: Question, jobs: int, *, stop: Callable[[], bool] = lambda: False) -> None:
        self.jobs = jobs
        self.stop = stop
        self.saved: Callable[[Split], object] = lambda _: None
        """Called when something has come back."""
        self._begin(question)

    def _begin(self, question: Question) -> None:
        """With nothing explored."""
        self.question = question
        self.worker = Worker(question)
        self.sources = sources(question, self.jobs)
        self.result = Result(question.strategy, question.seed)
        self.counted = {source.name: 0 for source in self.sources}
        """Schedules of the parts that have come back whole."""
        self.cut_off = dict.fromkeys(COUNTS, 0)
        """Of what was counted, in parts that were cut off or have failed: a checkpoint has them run again."""
        self.cost = {source.name: 0.0 for source in self.sources}
        self.reserved = 0
        """Schedules of the parts under way."""
        self.lost: list[str] = []
        """What stands in the way of a claim: of parts that were cut off before their time, or that never come back."""
        self.hindrances: dict[str, Claim] = {}
        """Per source, a claim of a part that was less than it might have been."""
        self.caveats: dict[str, None] = {}
        self.compared = 0
        self.failed: tuple[Source, Part, Back] | None = None
        self.proved: Back | None = None
        """A search that cannot be split has seen everything."""
        self.refused: Claim | None = None

    def run(self, seconds: float | None, progress: Callable[[Result], object] | None = None) -> Result:
        """Explore, for so many seconds at most."""
        self.begun = perf_counter() - self.result.seconds
        self.until = float("inf") if seconds is None else perf_counter() + seconds
        if self.question.strategy == "portfolio" and not self.result.schedules and self._portfolio(seconds):
            return self.result
        alone = perf_counter() + ALONE
        while not self.over and (self.jobs == 1 or perf_counter() < alone):
            work = self._next()
            if work is None:
                break
            over = Budget(seconds=HERE).begun()
            back = self.worker.run(work.part, self.left, self.stop, partial(over, 0))
            self._back(work, back)
            self._show(progress)
        if not self.over and self.jobs > 1:
            self._together(progress)
        self._conclude()
        return self.result

    def _together(self, progress: Callable[[Result], object] | None) -> None:
        """With the other processes."""
        question = None
        while question is not self.question:
            question = self.question
            with Pool(self.jobs, question) as pool:
                self._share(pool, progress)

    def _share(self, pool: Pool, progress: Callable[[Result], object] | None) -> None:
        """With the processes of a pool, until all have come back, or everything begins again."""
        while True:
            while not self.over and pool.idle > 0 and (work := self._next()):
                pool.submit(work)
            pool.share()
            if not pool.under_way and not pool.again:
                break
            if self.over and not self._awaits(pool):
                pool.stop()
            back, given_up = pool.wait(WAIT)
            for work, what in back:
                self._back(work, what)
                if self.question is not pool.question:
                    return
            for work in given_up:
                self.reserved -= work.part.schedules
                work.source.again(work.part)
                self.lost.append(
                    f"part {work.part.number} of {work.source.name} was given up: its process died whenever it was run"
                )
            self._show(progress)
            if self.over:
                pool.again.clear()

    def _awaits(self, pool: Pool) -> bool:
        """Is something under way that may have an earlier failure than the one that is known?"""
        if not self.failed or self.stop() or perf_counter() >= self.until:
            return False
        return any(self._first(work.source, work.part) for work in pool.under_way.values())

    def _first(self, source: Source, part: Part) -> bool:
        """Would a failure of this part be the first one?  As the tree is now, which loses branches that are done."""
        if self.failed is None:
            return True
        of, other, _ = self.failed
        return source is of and source.order(part) < source.order(other)

    def begin_again(self, pauses: int) -> None:
        """Begin again, with so many pauses of each thread that end early."""
        seconds = self.result.seconds
        self._begin(replace(self.question, ends_early=pauses))
        self.result.seconds = seconds

    @property
    def over(self) -> bool:
        """Nothing new is to be begun."""
        return bool(
            self.failed
            or self.proved
            or self.refused
            or self.lost
            or self.stop()
            or perf_counter() >= self.until
            or self._finished()
        )

    def _finished(self) -> Source | None:
        """A source that has got everything back; of a sampler that is all there is."""
        for source in self.sources:
            if source.done and (len(self.sources) == 1 or source.claim(1).kind in (Kind.PROVED, Kind.BOUNDED)):
                return source
        return None

    @property
    def left(self) -> float | None:
        """Seconds."""
        return None if self.until == float("inf") else max(self.until - perf_counter(), 0.01)

    def _next(self) -> Work | None:
        """The next part, of the source that has had the least for its share."""
        schedules = self.question.schedules - self.result.schedules - self.reserved
        for source in sorted(self.sources, key=lambda source: self.cost[source.name] / source.share):
            part = source.next(self.jobs, schedules) if schedules > 0 else None
            if part:
                self.reserved += part.schedules
                self.cost[source.name] += 0.1  # until it is known what it costs
                return Work(source, part, self.left)
        return None

    def _back(self, work: Work, back: Back) -> None:
        """A part has come back."""
        source, part, result = work.source, work.part, back.result
        if back.matters and not (self.failed or result.failure):
            self.begin_again(self.question.most_early)
            return
        total = self.result
        self.reserved -= part.schedules
        self.cost[source.name] += max(result.seconds - 0.1, 0.0)
        claim = result.claim
        if claim.kind is Kind.REFUSED:
            self.refused = claim
        if result.failure and self._first(source, part):
            self.failed = source, part, back
        if back.whole and not result.failure:
            self.counted[source.name] += result.schedules
        for field in COUNTS:
            setattr(total, field, getattr(total, field) + getattr(result, field))
            if not back.whole or result.failure:
                self.cut_off[field] += getattr(result, field)
        total.states = max(total.states, result.states)
        total.seconds = perf_counter() - self.begun
        for name in ("warnings", "notes"):
            getattr(total, name).extend(text for text in getattr(result, name) if text not in getattr(total, name))
        total.races += [race for race in result.races if all(race.sites != known.sites for known in total.races)]
        self.caveats |= dict.fromkeys(claim.caveats)
        self.compared += claim.compared
        if back.whole:
            if claim.kind is Kind.UNDECIDED or result.warnings:
                self.hindrances.setdefault(source.name, claim)
            if isinstance(source, States) and claim.kind is Kind.PROVED:
                self.proved = back
            if not result.failure:
                source.back(part, back.told)
        else:
            if not (self.stop() or perf_counter() >= self.until or self.over):
                self.lost.append(claim.reason or "a part was cut off")
            if not result.failure:
                source.again(part)
        self.saved(self)

    def _show(self, progress: Callable[[Result], object] | None) -> None:
        if progress:
            self.result.outlook = "; ".join(outlook for source in self.sources if (outlook := source.outlook()))
            progress(self.result)

    def _portfolio(self, seconds: float | None) -> bool:
        """The portfolio as ever, for a while: is that all?"""
        question = self.question
        limit = PORTFOLIO if seconds is None else min(PORTFOLIO, seconds)
        result = question.explore(self.worker.program, limit, self.stop)
        claim = result.claim
        decided = claim.kind in (Kind.FAILED, Kind.PROVED, Kind.REFUSED)
        decided = decided or (claim.kind is Kind.BOUNDED and claim.bound == question.preemptions)
        used_up = result.seconds < limit and result.schedules >= question.schedules
        self.result = result
        if decided or used_up or self.stop() or perf_counter() >= self.until:
            return True
        result.claim = Claim(Kind.UNDECIDED)
        return False

    def _conclude(self) -> None:
        """What is claimed."""
        result, number = self.result, self.result.schedules
        result.seconds = perf_counter() - self.begun
        if self.refused:
            result.claim = self.refused
        elif self.failed:
            found = self.failed[2].result
            result.failure, result.shrunk, result.found_by = found.failure, found.shrunk, found.found_by
            result.claim = replace(found.claim, number=number)
        elif self.proved:
            result.claim = self.proved.result.claim
        elif self.lost:
            result.claim = Claim(Kind.UNDECIDED, self.question.strategy, number=number, reason=self.lost[0])
        else:
            claims = {source.name: source.claim(self.counted[source.name]) for source in self.sources}
            finished = self._finished()
            name = finished.name if finished else min(claims, key=lambda name: strength(claims[name]))
            claim, hindrance = checked(replace(claims[name], caveats=tuple(self.caveats))), self.hindrances.get(name)
            if claim.kind in (Kind.PROVED, Kind.BOUNDED) and hindrance:
                reason = hindrance.reason or "see the warnings"
                claim = replace(claim, kind=Kind.UNDECIDED, reason=reason, where=hindrance.where)
            elif claim.kind is Kind.PROVED:
                claim = self._confirmed(claim)
            elif claim.kind is Kind.UNDECIDED and not claim.number:
                # No part has come back, or everything has just begun afresh: what was run has passed all the same.
                reason = "the search was cut off" if number and claim.reason == NOTHING.reason else claim.reason
                claim = replace(claim, number=number, seen=Seen.SCHEDULES, reason=reason)
            result.claim = claim

    def _confirmed(self, claim: Claim) -> Claim:
        """The claim, after what is looked at before every proof: that the program is the same on every run."""
        question, claim = self.question, replace(claim, compared=self.compared)
        once = explore(
            self.worker.program,
            Once(question.options, claim),
            schedules=1,
            vehicle=question.vehicle,
            races=question.races,
            plain_points=question.plain_points,
        )
        again = once.claim
        if again.kind is Kind.PROVED:
            return replace(claim, compared=self.compared + again.compared)
        return replace(again, number=claim.number)
