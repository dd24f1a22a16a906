"""The explorer: looks for a schedule that fails; its strategies and rules by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from collector.explore.claim import Kind
from collector.explore.early import EARLY
from collector.explore.machine.execution import LIMIT
from collector.explore.machine.fault import Refused
from collector.explore.machine.observed import ObservedMemory
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.program import CARRIERS, new_machine, no_collection
from collector.explore.races.fasttrack import FastTrack
from collector.explore.races.report import races_of
from collector.explore.search import Place, Search
from collector.explore.strategies import BOUNDED, NAMED
from collector.explore.strategies.base import Options
from collector.explore.strategies.portfolio import Member, Portfolio
from collector.explore.token import Token
from collector.explore.watchdog import Watchdog, blaming
from collector.explore.workplace import Workplace


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collector.explore.program import Invariant, Program
    from collector.explore.result import Result
    from collector.explore.search import Progress
    from collector.explore.strategies.base import Strategy

    Races = bool | Literal["report", "knowing"]


RACES = (True, False, "report", "knowing")


def refuse_unknown(
    strategy: str | Strategy = "portfolio",
    vehicle: str = "greenlets",
    preemptions: int | None = None,
    *,
    races: object = True,
) -> None:
    """Raise ValueError for what `explore` has not, or cannot do together."""
    if isinstance(strategy, str) and strategy not in NAMED:
        raise ValueError(f"no strategy {strategy!r}; there are {', '.join(NAMED)}")
    if vehicle not in CARRIERS:
        raise ValueError(f"no vehicle {vehicle!r}; there are {', '.join(CARRIERS)}")
    if preemptions is not None and isinstance(strategy, str) and strategy not in BOUNDED:
        raise ValueError(f"preemptions={preemptions} bounds {', '.join(BOUNDED)}; {strategy} knows no bound")
    if races not in RACES:
        raise ValueError(f"races={races!r}: one of {', '.join(map(repr, RACES))}")


def explore(
    program: Program,
    strategy: str | Strategy = "portfolio",
    *,
    schedules: int = 10_000,
    seconds: float | None = None,
    seed: int = 1,
    preemptions: int | None = None,
    depth: int | None = None,
    vehicle: str = "greenlets",
    invariants: Sequence[Invariant] = (),
    plain_points: bool = False,
    races: Races = True,
    steps: int = LIMIT,
    early: int | None = None,
    shrink: bool = True,
    about: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    workplace: Workplace | None = None,
) -> Result:
    """Look for a schedule of `program` that fails.

    `strategy` is a name of those in `strategies.NAMED`, or a strategy that is to go on from where it stands.
    At most `schedules` complete executions and `seconds` seconds; a budget that is spent is no pass, and
    `Result.statement` says what was seen.  `preemptions` bounds exhaustive search, alone or in the portfolio, and DPOR
    alone, and is refused by the others; `depth` is PCT's.  Each of `invariants` is called with the machine before every
    step.  With `plain_points` plain accesses are steps too.

    A data race is a failure; with `races="report"` it is put in `Result.races` and the search goes on, with `"knowing"` so
    are those in which a hint or a post takes part, with False nobody looks.

    `steps` is how long a schedule may grow before it is run on in turn.  Where it matters (`collector.explore.early`), so
    many pauses of each thread may end `early` (None: 3), before another one has written what the thread has read.

    A failing schedule is shrunk first, unless `shrink` is False, and its token says what it is `about` (scenario, variant,
    parameters, version).  `progress` is called a few times a second; samplers are then watched for new traces, which costs
    them a third of their speed.  When `stop()`, asked after every schedule, says so, the search ends, and the result is of
    what was run.  A strategy that is given may be explored in a `workplace` where others were, under the same rules; its
    machines are closed by a search that fails, and by whoever has made it.  It tells when pauses are to end early after all.
    Raises ValueError for an unknown strategy or vehicle, or what `races` may not be.
    """
    refuse_unknown(strategy, vehicle, preemptions, races=races)
    options = Options(seed, schedules, preemptions, depth, races=bool(races))

    def members() -> Portfolio:
        method = NAMED[strategy](options) if isinstance(strategy, str) else strategy
        return method if isinstance(method, Portfolio) else Portfolio([Member(method)])

    # A strategy that was given cannot begin again.
    early = (EARLY if early is None else early) if isinstance(strategy, str) else 0
    search = Search(program, members, options, invariants, stop, workplace or Workplace(program, invariants, early))

    def place(member: Member) -> Place:
        known = search.workplace.machines.get(member.strategy.name) if workplace else None
        if known:
            return Place(member, *known)
        track = FastTrack(fatal=races is True)
        unnoted = search.workplace.plain
        taps = [
            tap
            for tap, wanted in (
                (PlainPoints(), plain_points),
                (track, races),
                (unnoted, not (plain_points or races)),
            )
            if wanted
        ]
        memory = ObservedMemory() if member.strategy.observes else None
        machine = new_machine(vehicle, taps, steps, memory)
        machine.threads.early = search.ends_early
        if workplace:
            workplace.machines[member.strategy.name] = machine, track
        return Place(member, machine, track)

    search.place = place
    if races and races is not True:
        knowing = races == "knowing"
        told = {"plain": plain_points, "knowing": knowing}
        search.witness = lambda here: (
            races_of(program, here.machine.trail, invariants, vehicle, early=search.ends_early, **told)
            if here.track.raced or knowing
            else []
        )
    search.stays = workplace is not None
    with no_collection(), Watchdog(seconds) as search.watchdog, search:
        try:
            with blaming(program):
                with search.watchdog.cutting(seconds):
                    fault = search.run(seconds, progress)
                if fault:
                    # A strategy may have shortened it, to show a livelock.
                    allowed = search.here.machine.execution.steps_allowed
                    limit = 0 if allowed == LIMIT else allowed
                    token = Token(
                        plain_points=plain_points,
                        races=races is True,
                        limit=limit,
                        early=search.ends_early,
                        about=dict(about or {}),
                    )
                    search.result.failure = search.failure(fault, token, seconds, shrink=shrink)
                elif search.portfolio.claim().kind in (Kind.PROVED, Kind.BOUNDED):
                    search.before_proof()
        except Refused as refused:
            search.refuse(refused)
    search.conclude(steps)
    return search.result
