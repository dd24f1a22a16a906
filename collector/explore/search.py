"""One exploration under way: schedule after schedule by the members of a portfolio, and what may be claimed at the end."""

from __future__ import annotations

import re
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Self

from collector.explore.claim import Claim, Kind, checked
from collector.explore.default import Following
from collector.explore.determinism import Determinism
from collector.explore.hashes import Hashes
from collector.explore.impure import impure
from collector.explore.kept import Kept
from collector.explore.machine.fault import Refused
from collector.explore.program import run_and_check, set_up
from collector.explore.replay import written
from collector.explore.result import Result
from collector.explore.shrink import LEAST, SECONDS, Shrinker
from collector.explore.strategies.coverage import Coverage
from collector.explore.strategies.distinct import least
from workbuf.counted import counted


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Invariant, Program
    from collector.explore.races.fasttrack import FastTrack
    from collector.explore.races.report import Race
    from collector.explore.result import Failure
    from collector.explore.strategies.base import Options
    from collector.explore.strategies.portfolio import Member, Portfolio
    from collector.explore.token import Token
    from collector.explore.watchdog import Watchdog
    from collector.explore.workplace import Workplace

    Progress = Callable[[Result, Portfolio], object]

ENOUGH = 20
"""Schedules without an end, by each member, after which no further one is run."""
PLAIN_ACCESSES = "plain accesses may race, and nobody looked (races=True or plain_points=True)"
WHERE = re.compile(r"\S+:\d+")
"""A place in a file."""
SHOW_S = 0.25
"""Seconds between two calls of `progress`."""


class Place(NamedTuple):
    """Where a member runs its schedules."""

    member: Member
    machine: SteppedMachine
    track: FastTrack


class Search:
    """One exploration, from its first schedule to its claim."""

    place: Callable[[Member], Place]
    """A place for a member."""

    def __init__(
        self,
        program: Program,
        members: Callable[[], Portfolio],
        options: Options,
        invariants: Sequence[Invariant],
        stop: Callable[[], bool],
        workplace: Workplace,
    ) -> None:
        self.program = program
        self.stop = stop
        self.members = members
        self.portfolio = members()
        self.options = options
        self.invariants = invariants
        self.result = Result(self.portfolio.name, options.seed)
        self.places: dict[Member, Place] = {}
        """Of those that have had a turn."""
        self.stays = False
        """Machines are for the next search, too."""
        self.here: Place
        """Whose turn it was last."""
        self.witness: Callable[[Place], list[Race]] | None = None
        """All races of the schedule that has just been run."""
        self.coverage: Coverage | None = None
        self.workplace = workplace
        self.determinism = workplace.determinism
        self.before = workplace.schedules, self.determinism.compared
        """Schedules, and steps that were compared, of other searches."""
        self.watchdog: Watchdog
        self.impure = ""
        """A call in the program that gives something else every time, or in every process; a clause, with its place."""
        self.changed = ""
        """Something of that which has changed since."""
        self.hidden = ""
        """Something of that which cannot be looked into."""
        self.early = workplace.early
        self.ends_early = workplace.ends_early
        """Pauses of each thread that may end early, since that matters."""
        self.undecided = 0
        """Schedules that did not end."""
        self.why_undecided = ""
        self.cut = False
        """The time was over in the middle of a schedule."""
        self.failed: list[int] = []
        """Trail of the schedule that failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        result = self.result
        if not self.stays:
            for place in self.places.values():
                place.machine.close()
        elif error or result.failure or result.claim.kind is Kind.REFUSED:
            self.workplace.close()

    def run(self, seconds: float | None, progress: Progress | None) -> Fault | None:
        """Schedule after schedule, to the first fault."""
        result = self.result
        if progress and any(member.samples for member in self.portfolio.members):
            self.coverage = Coverage()
        begun = shown = perf_counter()
        until = float("inf") if seconds is None else begun + seconds
        fault = None
        while result.schedules < self.options.schedules:
            fault = self.once()
            if fault:
                self.failed = self.here.machine.trail[:]
                break
            done = self.portfolio.done
            number = self.before[0] + result.schedules
            if not self.ends_early and self.early.matters(self.here.machine, number, until, done=done):
                if self.stays:
                    self.workplace.matters = True
                    break
                self._afresh()
                done = False
            portfolio = self.portfolio
            if done or self.undecided >= ENOUGH * len(portfolio.members):
                break
            now = perf_counter()
            result.seconds = now - begun
            if now >= until or self.stop():
                break
            if progress and now - shown >= SHOW_S:
                shown = now
                result.outlook = self.outlook()
                progress(result, portfolio)
        result.seconds = perf_counter() - begun
        return fault

    def _afresh(self) -> None:
        """Begin again, with pauses that may end early."""
        self.ends_early = self.early.allowed
        for place in self.places.values():
            place.machine.close()
        self.places.clear()
        self.portfolio = self.members()
        self.determinism = Determinism(self.program, self.invariants)

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
        log = self.determinism.log(machine, self.before[0] + result.schedules + 1)
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
                result.notes = ["nothing was checked at the end: the program returns no check"]
            self.determinism.check(log, machine)
            self.workplace.kept = self.workplace.kept or Kept(machine, [self.program, *self.invariants])
        return fault

    def before_proof(self) -> None:
        """Everything was seen: is the program the same on every run?"""
        machine, kept = self.here.machine, self.workplace.kept
        self.changed = self._changed()
        if not self.workplace.due(self.before[0] + self.result.schedules):
            return
        self.determinism.before_proof(machine)
        self.changed = self._changed()
        self.hidden = kept.hidden() if kept else ""
        # As the last schedule has left it.
        run = [self.program, *machine.execution.bodies, *self.invariants]
        called = impure([*run, machine.check] if machine.check else run)
        if called:
            self.impure = f"the program calls {called}, which gives something else every time"
        elif self.determinism.first:
            with Hashes() as hashes:
                self.determinism.rerun(self.determinism.first, machine)
            self.impure = hashes.found and f"the program uses {hashes.found}"

    def _changed(self) -> str:
        """What a run has left for the next one."""
        kept = self.workplace.kept
        hung = (port.left for place in self.places.values() for port in place.machine.ports)
        return (kept.changed() if kept else "") or next((f"port.{name}" for name in hung if name), "")

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
        token = replace(token, deviations=tuple(following.used))
        if shrink:
            limit = SECONDS if seconds is None else min(SECONDS, max(LEAST, seconds))
            shrinker = Shrinker(machine, self.program, self.invariants, fault, self.stop, limit)
            with self.watchdog.cutting(limit):
                token = shrinker.smaller(token)
            self.result.shrunk = (len(following.used), len(token.deviations), shrinker.runs)
        failure, races = written(token, fault, self.program, self.invariants)
        if failure.kind == "race":
            self.result.races = races
        return failure

    def conclude(self, steps: int) -> None:
        """Fill in what is known at the end: the warnings, and what is claimed."""
        result, portfolio = self.result, self.portfolio
        result.distinct = least(self.coverage.times) if self.coverage else []
        raced = [race for race in result.races if not race.knowing]
        warnings = {warning for place in self.places.values() for warning in place.machine.warnings}
        overlong = sum(member.overlong for member in portfolio.members)
        # Only what a member has left out that has seen all else stands in the way of a proof.
        proved = [self.places[member] for member in portfolio.members if member.strategy.exhausted]
        cut_short = all(place.member.overlong or place.machine.warnings for place in proved)
        result.states = sum(getattr(member.strategy, "states", 0) for member in portfolio.members)
        result.warnings += sorted(warnings)
        if result.schedules and not result.steps:
            result.notes.append("no thread takes a step, so nothing was run in parallel")
        if overlong:
            result.warnings.append(
                f"{counted(overlong, 'schedule')} longer than {steps} steps went on in turn from "
                "there: not all their interleavings were seen (a longer limit: steps=)"
            )
        if result.claim.kind is Kind.REFUSED:
            return
        by, number = result.strategy, result.schedules
        self.workplace.schedules += number
        failure = result.failure
        if failure:
            result.claim = Claim(Kind.FAILED, result.found_by, number=number, reason=str(failure), where=failure.where)
        elif raced:
            reason = f"{counted(len(raced), 'data race')} found"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason, where=raced[0].later.site)
        elif self.undecided and (cut_short or not proved):
            reason = f"{counted(self.undecided, 'schedule')} did not end, {self.why_undecided}"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason)
        elif self.cut and not proved and not number:
            reason = "the time was over before the first schedule was (a longer one: seconds=)"
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason=reason)
        elif proved and cut_short:
            result.claim = Claim(Kind.UNDECIDED, by, number=number, reason="see the warnings")
        else:
            compared = sum(getattr(member.strategy, "compared", 0) for member in portfolio.members)
            claim = checked(replace(portfolio.claim(), compared=self.determinism.compared - self.before[1] + compared))
            if claim.kind in (Kind.PROVED, Kind.BOUNDED) and self.impure:
                claim = replace(claim, kind=Kind.UNDECIDED, reason=self.impure, where=WHERE.findall(self.impure)[-1])
            elif claim.kind in (Kind.PROVED, Kind.BOUNDED) and self.changed:
                reason = f"state is kept between runs: {self.changed} has changed since the first one"
                claim = replace(claim, kind=Kind.UNDECIDED, reason=reason, where=self.changed.partition(" at ")[2])
            elif claim.kind in (Kind.PROVED, Kind.BOUNDED) and self.hidden:
                reason = f"{self.hidden} lasts from run to run, and cannot be looked into"
                claim = replace(claim, kind=Kind.UNDECIDED, reason=reason)
            elif claim.kind in (Kind.PROVED, Kind.BOUNDED) and self.workplace.plain.noted:
                claim = replace(claim, kind=Kind.UNDECIDED, reason=PLAIN_ACCESSES)
            if claim.kind in (Kind.PROVED, Kind.BOUNDED):
                claim = replace(claim, caveats=(*claim.caveats, *self._assumptions()))
            result.claim = claim

    def _assumptions(self) -> Iterator[str]:
        """What was assumed of pauses, and of sleeps with a limit, in a clause each."""
        lasting = "last until another thread has written what it reads"
        if self.ends_early:
            if any(place.machine.threads.lasted for place in self.places.values()):
                yield f"assuming that all pauses of a thread but {self.ends_early} {lasting} (early= lets more end)"
        elif self.early.assumed:
            yield f"assuming that pauses {lasting}"
        if any(place.machine.threads.limited for place in self.places.values()):
            yield "assuming that the time of a sleep with a limit is over only when nobody else can run"
