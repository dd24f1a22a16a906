"""explore: run a program schedule after schedule until one fails, everything was seen, or the budget is spent."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from collector.explore.default import Following
from collector.explore.machine.machine import SteppedMachine
from collector.explore.machine.plainpoints import plain_points as fit_plain_points
from collector.explore.machine.threads import LIMIT
from collector.explore.program import CARRIERS, run_and_check, set_up
from collector.explore.races.fasttrack import FastTrack
from collector.explore.races.report import races_of
from collector.explore.replay import Replay
from collector.explore.result import Failure, Result
from collector.explore.shrink import Shrinker
from collector.explore.strategies import NAMED
from collector.explore.strategies.base import Options, Sampler
from collector.explore.strategies.coverage import Coverage
from collector.explore.strategies.portfolio import Portfolio
from collector.explore.token import Token


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.program import Invariant, Program
    from collector.explore.races.report import Race
    from collector.explore.strategies.base import Strategy

    Progress = Callable[[Result, Strategy], object]
    Races = bool | Literal["report", "knowing"]

ENOUGH = 20
"""Schedules without an end after which no further one is run."""
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
) -> Result:
    """Look for a schedule of `program` that fails.

    At most `schedules` complete executions and `seconds` seconds; a budget that is spent is no pass, and
    `Result.statement` says what was seen.  `preemptions` bounds exhaustive search, `depth` is PCT's.  Each of `invariants`
    is called with the machine before every step.  With `plain_points` plain accesses are steps too.

    A data race is a failure; with `races="report"` it is put in `Result.races` and the search goes on, with `"knowing"` so
    are those in which a hint or a post takes part, with False nobody looks.

    `steps` is how long a schedule may grow before it is run on in turn.  A failing schedule is shrunk first, unless `shrink`
    is False, and its token says what it is `about` (scenario, variant, parameters, version).  `progress` is called a few
    times a second; samplers are then watched for new traces, which costs them a third of their speed.
    Raises ValueError for an unknown strategy or vehicle.
    """
    if strategy not in NAMED:
        raise ValueError(f"no strategy {strategy!r}; there are {', '.join(NAMED)}")
    if vehicle not in CARRIERS:
        raise ValueError(f"no vehicle {vehicle!r}; there are {', '.join(CARRIERS)}")
    options = Options(seed, schedules, preemptions, depth)
    track = FastTrack(fatal=races is True)
    method = NAMED[strategy](options)
    taps = [fit for fit, wanted in ((fit_plain_points, plain_points), (track.fit, races)) if wanted]
    taps += getattr(method, "taps", [])
    machine = SteppedMachine(CARRIERS[vehicle], taps)
    machine.steps_allowed = steps
    search = Search(program, method, options, machine, invariants)
    if races and races is not True:
        knowing = races == "knowing"
        search.witness = lambda trail: (
            races_of(program, trail, invariants, vehicle, plain=plain_points, knowing=knowing)
            if track.raced or knowing
            else []
        )
    with no_collection():
        try:
            result, fault = search.run(seconds, progress)
            if fault:
                # A strategy may have shortened it, to show a livelock.
                limit = 0 if machine.steps_allowed == LIMIT else machine.steps_allowed
                token = Token(plain_points=plain_points, races=races is True, limit=limit, about=dict(about or {}))
                result.failure = search.failure(fault, token, shrink=shrink)
        finally:
            machine.close()
    search.conclude()
    return result


class Search:
    """One exploration under way."""

    def __init__(
        self,
        program: Program,
        strategy: Strategy,
        options: Options,
        machine: SteppedMachine,
        invariants: Sequence[Invariant],
    ) -> None:
        self.program = program
        self.strategy = strategy
        self.options = options
        self.machine = machine
        self.invariants = invariants
        self.result = Result(strategy.name, options.seed)
        self.witness: Callable[[list[int]], list[Race]] = lambda _trail: []
        """All races of the schedule with that trail."""
        self.coverage: Coverage | None = None
        self.overlong = 0
        """Schedules that were longer than the limit."""
        self.undecided = 0
        """Those that did not end after it either."""
        self.why_undecided = ""
        self.failed: list[int] = []
        """Trail of the schedule that failed."""

    def run(self, seconds: float | None, progress: Progress | None) -> tuple[Result, Fault | None]:
        """Schedule after schedule, to the first fault."""
        result, strategy = self.result, self.strategy
        if progress and isinstance(strategy, Sampler | Portfolio):
            self.coverage = Coverage()
        begun = shown = perf_counter()
        fault = None
        while result.schedules < self.options.schedules:
            fault = self.once()
            if fault:
                self.failed = self.machine.trail[:]
                result.found_by = getattr(strategy, "current", strategy).name
                break
            if strategy.done or self.undecided == ENOUGH:
                break
            now = perf_counter()
            result.seconds = now - begun
            if seconds is not None and result.seconds >= seconds:
                break
            if progress and now - shown >= SHOW_S:
                shown = now
                result.outlook = self.outlook()
                progress(result, strategy)
        result.seconds = perf_counter() - begun
        return result, fault

    def once(self) -> Fault | None:
        """One schedule; counts it."""
        machine, result = self.machine, self.result
        check = set_up(machine, self.program, self.invariants)
        pick, draw = self.strategy.begin(machine)
        if self.coverage:
            pick, draw = self.coverage.watching(machine, pick, draw)
        fault = run_and_check(machine, pick, draw, check)
        result.steps += len(machine.trail)
        if fault or machine.complete:
            result.schedules += 1
            if self.coverage:
                self.coverage.end()
                result.traces = self.coverage.traces
        else:
            result.pruned += 1
        if len(machine.trail) > machine.steps_allowed:
            self.overlong += 1
        if machine.undecided:
            self.undecided += 1
            self.why_undecided = machine.undecided
        self.strategy.end(machine)
        for race in self.witness(machine.trail):
            if all(race.sites != known.sites for known in result.races):
                result.races.append(race)
        return fault

    def outlook(self) -> str:
        """How much is new, and how much is left."""
        told = (str(self.coverage or ""), self.strategy.outlook(self.result.schedules))
        return "; ".join(what for what in told if what)

    def failure(self, fault: Fault, token: Token, *, shrink: bool) -> Failure:
        """The schedule that has just failed with `fault`: shrunk, written down, and its token."""
        machine = self.machine
        check = set_up(machine, self.program, self.invariants)
        following = Following(machine, self.failed)
        if not fault.same(run_and_check(machine, following.pick, following.draw, check)):
            self.result.warnings.append(
                "the failing schedule did not fail when it was run again: the program keeps something from run to run"
            )
        deviations = following.used
        if shrink:
            shrinker = Shrinker(machine, self.program, self.invariants, fault)
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
            found.kind, found.message, token.encode(), again.trace, found.where, again.steps, again.preemptions
        )

    def conclude(self) -> None:
        """What it was worth."""
        result = self.result
        raced = [race for race in result.races if not race.knowing]
        cut_short = self.overlong or self.machine.warnings
        result.states = getattr(self.strategy, "states", 0)
        result.exhausted = self.strategy.exhausted and not result.failure and not cut_short and not raced
        result.warnings += sorted(self.machine.warnings)
        if self.overlong:
            result.warnings.append(
                f"{self.overlong} schedules were longer than {self.machine.steps_allowed} steps and went on in turn from "
                "there: not all their interleavings were seen (a longer limit: steps=)"
            )
        if result.failure:
            result.statement = f"Failed, found by {result.found_by}: {result.failure}"
        elif raced:
            result.statement = f"{len(raced)} data races in {result.schedules} schedules; nothing else failed."
        elif self.undecided:
            result.statement = f"Undecided: {self.undecided} schedules did not end, {self.why_undecided}."
        elif self.strategy.exhausted and cut_short:
            result.statement = f"{result.schedules} schedules passed, which is no proof: see the warnings."
        else:
            result.statement = self.strategy.statement(result.schedules)


@contextmanager
def no_collection() -> Iterator[None]:
    """Python's own collector off: schedules make no cycles, and looking for them costs a tenth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
