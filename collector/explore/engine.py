"""The main loop of the explorer: runs schedules until one fails, all have been covered, or the budget is spent."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from collector.explore.claim import Claim, Kind
from collector.explore.default import Following
from collector.explore.determinism import Determinism
from collector.explore.impure import impure
from collector.explore.machine.execution import LIMIT
from collector.explore.machine.fault import Refused
from collector.explore.machine.misuse import Stuck, misused
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.program import CARRIERS, new_machine, no_collection, run_and_check, set_up
from collector.explore.races.fasttrack import FastTrack
from collector.explore.races.report import races_of
from collector.explore.replay import Replay
from collector.explore.result import Failure, Result
from collector.explore.shrink import LEAST, SECONDS, Shrinker
from collector.explore.strategies import BOUNDED, NAMED
from collector.explore.strategies.base import Options
from collector.explore.strategies.coverage import Coverage
from collector.explore.strategies.portfolio import Member, Portfolio
from collector.explore.token import Token
from collector.explore.watchdog import Watchdog


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program
    from collector.explore.races.report import Race

    Progress = Callable[[Result, Portfolio], object]
    Races = bool | Literal["report", "knowing"]

ENOUGH = 20
"""Schedules without an end, by each member, after which no further one is run."""
SHOW_S = 0.25
"""Seconds between two calls of `progress`."""


def explore(
    program: Program,
    strategy: str = "portfolio",
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
    shrink: bool = True,
    about: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Look for a schedule of `program` that fails.

    At most `schedules` complete executions and `seconds` seconds; a budget that is spent is no pass, and
    `Result.statement` says what was seen.  `preemptions` bounds exhaustive search, alone or in the portfolio, and is refused
    by the others; `depth` is PCT's.  Each of `invariants`
    is called with the machine before every step.  With `plain_points` plain accesses are steps too.

    A data race is a failure; with `races="report"` it is put in `Result.races` and the search goes on, with `"knowing"` so
    are those in which a hint or a post takes part, with False nobody looks.

    `steps` is how long a schedule may grow before it is run on in turn.  A failing schedule is shrunk first, unless `shrink`
    is False, and its token says what it is `about` (scenario, variant, parameters, version).  `progress` is called a few
    times a second; samplers are then watched for new traces, which costs them a third of their speed.  When `stop()`, asked
    after every schedule, says so, the search ends, and the result is of what was run.
    Raises ValueError for an unknown strategy or vehicle.
    """
    if strategy not in NAMED:
        raise ValueError(f"no strategy {strategy!r}; there are {', '.join(NAMED)}")
    if vehicle not in CARRIERS:
        raise ValueError(f"no vehicle {vehicle!r}; there are {', '.join(CARRIERS)}")
    if preemptions is not None and strategy not in BOUNDED:
        raise ValueError(f"preemptions={preemptions} bounds {' and '.join(BOUNDED)}; {strategy} knows no bound")
    options = Options(seed, schedules, preemptions, depth, races=bool(races))
    method = NAMED[strategy](options)
    portfolio = method if isinstance(method, Portfolio) else Portfolio([Member(method)])
    search = Search(program, portfolio, options, invariants, stop)

    def place(member: Member) -> Place:
        track = FastTrack(fatal=races is True)
        taps = [tap for tap, wanted in ((PlainPoints(), plain_points), (track, races)) if wanted]
        return Place(member, new_machine(vehicle, taps, steps, observed=member.strategy.observes), track)

    search.place = place
    if races and races is not True:
        knowing = races == "knowing"
        search.witness = lambda here: (
            races_of(program, here.machine.trail, invariants, vehicle, plain=plain_points, knowing=knowing)
            if here.track.raced or knowing
            else []
        )
    with no_collection(), Watchdog(seconds) as search.watchdog, search:
        try:
            with search.watchdog.cutting(seconds):
                fault = search.run(seconds, progress)
            if fault:
                # A strategy may have shortened it, to show a livelock.
                allowed = search.here.machine.execution.steps_allowed
                limit = 0 if allowed == LIMIT else allowed
                token = Token(plain_points=plain_points, races=races is True, limit=limit, about=dict(about or {}))
                search.result.failure = search.failure(fault, token, seconds, shrink=shrink)
            elif portfolio.exhausted:
                search.before_proof()
        except Refused as refused:
            search.refuse(refused)
        except Stuck as stuck:
            # In no thread: a set-up, a check, an invariant, or this package.
            blamed = misused(stuck, program)
            if not isinstance(blamed, Refused):
                raise (blamed or stuck) from stuck
            search.refuse(blamed)
    search.conclude(steps)
    return search.result


class Place(NamedTuple):
    """Where a member runs its schedules."""

    member: Member
    machine: SteppedMachine
    track: FastTrack


class Search:
    """One exploration under way."""

    place: Callable[[Member], Place]
    """A place for a member."""

    def __init__(
        self,
        program: Program,
        portfolio: Portfolio,
        options: Options,
        invariants: Sequence[Invariant],
        stop: Callable[[], bool],
    ) -> None:
        self.program = program
        self.stop = stop
        self.portfolio = portfolio
        self.options = options
        self.invariants = invariants
        self.result = Result(portfolio.name, options.seed)
        self.places: dict[Member, Place] = {}
        """Of those that have had a turn."""
        self.here: Place
        """Whose turn it was last."""
        self.witness: Callable[[Place], list[Race]] | None = None
        """All races of the schedule that has just been run."""
        self.coverage: Coverage | None = None
        self.determinism = Determinism(program, invariants)
        self.watchdog: Watchdog
        self.impure = ""
        """A call in the program that gives something else every time."""
        self.undecided = 0
        """Schedules that did not end."""
        self.why_undecided = ""
        self.cut = False
        """The time was over in the middle of a schedule."""
        self.failed: list[int] = []
        """Trail of the schedule that failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for place in self.places.values():
            place.machine.close()

    def run(self, seconds: float | None, progress: Progress | None) -> Fault | None:
        """Schedule after schedule, to the first fault."""
        result, portfolio = self.result, self.portfolio
        if progress and any(member.samples for member in portfolio.members):
            self.coverage = Coverage()
        begun = shown = perf_counter()
        fault = None
        while result.schedules < self.options.schedules:
            fault = self.once()
            if fault:
                self.failed = self.here.machine.trail[:]
                break
            if portfolio.done or self.undecided >= ENOUGH * len(portfolio.members):
                break
            now = perf_counter()
            result.seconds = now - begun
            if (seconds is not None and result.seconds >= seconds) or self.stop():
                break
            if progress and now - shown >= SHOW_S:
                shown = now
                result.outlook = self.outlook()
                progress(result, portfolio)
        result.seconds = perf_counter() - begun
        return fault

    def once(self) -> Fault | None:
        """One schedule of the member whose turn it is; counts it."""
        result = self.result
        member = self.portfolio.turn()
        here = self.places.get(member)
        if here is None:
            here = self.places[member] = self.place(member)
        self.here = here
        machine, execution, strategy = here.machine, here.machine.execution, member.strategy
        self.watchdog.execution = execution
        check = set_up(machine, self.program, self.invariants)
        log = self.determinism.log(machine, result.schedules + 1)
        pick, draw = strategy.begin(machine)
        watched = self.coverage if member.samples else None
        if watched:
            pick, draw = watched.watching(machine, pick, draw)
        fault = run_and_check(machine, pick, draw, check, [log.observe] if log else ())
        complete = fault is not None or execution.complete
        if complete:
            result.schedules += 1
            if watched:
                watched.end()
                result.traces = watched.traces
        elif machine.trail:
            result.pruned += 1
        steps = len(machine.trail)
        result.steps += steps
        member.spend(steps, complete=complete, overlong=steps > execution.steps_allowed)
        if execution.undecided:
            self.undecided += 1
            self.why_undecided = execution.undecided
        if fault:
            result.found_by = strategy.name
        cut = execution.late and fault is None and not complete
        self.cut = self.cut or cut
        if not cut:
            strategy.end(machine)
        for race in self.witness(here) if self.witness else ():
            if all(race.sites != known.sites for known in result.races):
                result.races.append(race)
        if log and fault is None and complete:
            if check is None and not machine.invariants and self.determinism.first is None and log.writes:
                result.notes.append("nothing was checked at the end: the program returns no check")
            self.determinism.check(log, machine)
        return fault

    def before_proof(self) -> None:
        """Everything was seen: is the program the same on every run?"""
        machine = self.here.machine
        self.determinism.before_proof(machine)
        # As the last schedule has left it.
        run = [self.program, *machine.execution.bodies, *self.invariants]
        self.impure = impure([*run, machine.check] if machine.check else run)

    def refuse(self, refused: Refused) -> None:
        """The program breaks a rule."""
        result = self.result
        result.claim = Claim(
            Kind.REFUSED, result.strategy, number=result.schedules, reason=refused.reason, where=refused.where
        )

    def outlook(self) -> str:
        """How much is new, and how much is left."""
        told = (str(self.coverage or ""), self.portfolio.outlook())
        return "; ".join(what for what in told if what)

    def failure(self, fault: Fault, token: Token, seconds: float | None, *, shrink: bool) -> Failure:
        """The schedule that has just failed with `fault`: shrunk, in a search of `seconds`, written down, and its token."""
        machine = self.here.machine
        check = set_up(machine, self.program, self.invariants)
        following = Following(machine, self.failed)
        if not fault.same(run_and_check(machine, following.pick, following.draw, check)):
            raise Refused(
                f"not the same twice: a schedule failed ({fault.kind}: {fault.message}), and did not when it was run again",
                fault.where,
            )
        deviations = following.used
        if shrink:
            limit = SECONDS if seconds is None else min(SECONDS, max(LEAST, seconds))
            shrinker = Shrinker(machine, self.program, self.invariants, fault, self.stop, limit)
            with self.watchdog.cutting(limit):
                deviations = shrinker.shrink(deviations)
            self.result.shrunk = (len(following.used), len(deviations), shrinker.runs)
        out = tuple(sorted(machine.muted)), tuple(sorted(machine.left.out))
        token = replace(token, deviations=tuple(deviations), muted=out[0], left_out=out[1])
        again = Replay(token, self.program, self.invariants)
        token = replace(token, steps=again.steps, digest=again.digest)
        found = again.fault or fault
        if found.kind == "race":
            self.result.races = again.races
        return Failure(
            found.kind,
            found.message,
            token.encode(),
            again.schedule,
            found.where,
            again.steps,
            again.preemptions,
        )

    def conclude(self, steps: int) -> None:
        """Fill in what is known at the end: the warnings, and what is claimed."""
        result, portfolio = self.result, self.portfolio
        raced = [race for race in result.races if not race.knowing]
        warnings = {warning for place in self.places.values() for warning in place.machine.warnings}
        overlong = sum(member.overlong for member in portfolio.members)
        # Only what a member has left out that has seen all else stands in the way of a proof.
        proved = [self.places[member] for member in portfolio.members if member.strategy.exhausted]
        cut_short = all(place.member.overlong or place.machine.warnings for place in proved)
        result.states = sum(getattr(member.strategy, "states", 0) for member in portfolio.members)
        result.warnings += sorted(warnings)
        if overlong:
            result.warnings.append(
                f"{overlong} schedules were longer than {steps} steps and went on in turn from "
                "there: not all their interleavings were seen (a longer limit: steps=)"
            )
        if result.claim.kind is Kind.REFUSED:
            return
        by, number = result.strategy, result.schedules
        failure = result.failure
        if failure:
            result.claim = Claim(Kind.FAILED, result.found_by, number=number, reason=str(failure), where=failure.where)
        elif raced:
            reason = f"there are {len(raced)} data races"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason, where=raced[0].later.site)
        elif self.undecided and (cut_short or not proved):
            reason = f"{self.undecided} schedules did not end, {self.why_undecided}"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason)
        elif self.cut and not proved and not number:
            reason = "the time was over before the first schedule was (a longer one: seconds=)"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason)
        elif proved and cut_short:
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason="see the warnings")
        else:
            compared = sum(getattr(member.strategy, "compared", 0) for member in portfolio.members)
            claim = replace(portfolio.claim(), compared=self.determinism.compared + compared)
            if claim.kind is Kind.PROVED and self.impure:
                reason = f"the program calls {self.impure}, which gives something else every time"
                claim = replace(claim, kind=Kind.UNDECIDED, reason=reason, where=self.impure.rpartition(" ")[2])
            result.claim = claim
