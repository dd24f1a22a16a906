"""The museum measures scenarios: schedules to the first failure by strategy, the shrunk schedule, fixed variants, costs.

A failing variant is searched by each strategy, by those that draw with several seeds; what counts is the median of the
schedules up to the first failure.  It must fail as it says.  A fixed variant must pass; the claim says what that shows. A
cost is the median of a figure over random schedules, and the remedy's must be smaller than the seed's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector.explore import explore
from collector.explore.claim import Kind


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from collector.explore import Result
    from collector.explore.claim import Claim
    from collector.scenarios.scenario import Cost, Counted, Scenario, Variant

SAMPLERS = ("random", "urw", "pct", "pos", "surw")
SYSTEMATIC = ("dpor", "exhaustive")
"""Strategies that find the same schedule with every seed."""
PORTFOLIO = "portfolio"
STRATEGIES = (*SAMPLERS, *SYSTEMATIC, PORTFOLIO)
LONG = 20
"""What a search for a proof, or to shrink, may take, counted in searches."""
MANY = 200_000
"""Schedules of such a search at most."""
RATED = 1000
"""Random schedules, at most, of which the share that fails is taken."""
LEAST_S = 0.2
"""Seconds that a search may take, whatever is left."""


@dataclass(frozen=True)
class Found:
    """How a strategy did: `schedules` to the first failure, a median over seeds, 0 if most seeds did not find it."""

    schedules: int
    found: int
    """Seeds that found it, of the `seeds` that were tried."""
    seeds: int


@dataclass(frozen=True)
class Failing:
    """A failing variant: what it says, how each strategy found it, and the shortest schedule."""

    variant: str
    message: str
    strategies: dict[str, Found]
    switches: int
    """Context switches of the shrunk schedule."""
    preemptions: int
    token: str


@dataclass(frozen=True)
class Passed:
    """A fixed variant, what is claimed of it, and the complete schedules that were run."""

    variant: str
    claim: Claim
    schedules: int


@dataclass
class Exhibit:
    """A scenario, measured.  `wrong` says what did not come out as the scenario says."""

    scenario: Scenario
    failing: list[Failing] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    costs: list[tuple[float, float]] = field(default_factory=list)
    """At the seed, and with the remedy, for each cost of the scenario."""
    rates: dict[str, float] = field(default_factory=dict)
    """The share of random schedules that fail, of the variants whose originals' is known."""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Museum:
    """Measures `scenarios` in about `seconds`, each search at most `schedules` long, samplers with seeds 1 to `seeds`."""

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        seconds: float,
        schedules: int,
        seeds: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.scenarios = scenarios
        self.schedules = schedules
        self.seeds = seeds
        self.stop = stop
        self.end = monotonic() + seconds
        self.left = sum(self.searches(scenario) for scenario in scenarios)
        """Searches that are still to come: each may take its share of the time that is left."""

    def searches(self, scenario: Scenario) -> int:
        """How many it takes to measure a scenario."""
        each = (len(SAMPLERS) + 1) * self.seeds + len(SYSTEMATIC) + LONG
        return sum(each if variant.fails else LONG for variant in scenario.variants.values())

    def exhibits(self) -> Iterator[Exhibit]:
        """One scenario after the other, until `stop` says so."""
        for scenario in self.scenarios:
            exhibit = Exhibit(scenario)
            begun = monotonic()
            for name, variant in scenario.variants.items():
                if variant.fails:
                    self.fails(exhibit, name, variant.fails)
                else:
                    self.passes(exhibit, name)
            for cost in scenario.costs:
                self.costs(exhibit, cost)
            for name in scenario.originals:
                exhibit.rates[name] = rate(scenario.variants[name], min(self.schedules, RATED))
            exhibit.seconds = monotonic() - begun
            if self.stop():
                return
            yield exhibit

    def explored(self, scenario: Scenario, name: str, strategy: str, seed: int) -> Result:
        """One search for a failure of the variant `name`, to count its schedules."""
        preemptions = scenario.preemptions(strategy)
        return self.search(scenario, name, strategy, seed, 1, schedules=self.schedules, preemptions=preemptions)

    def search(self, scenario: Scenario, name: str, strategy: str, seed: int, weight: int, **more: Any) -> Result:  # noqa: ANN401  explore's
        """A search that takes its share, `weight` times what the least take, of the time that is left."""
        variant = scenario.variants[name]
        share = max(self.end - monotonic(), 0.0) * weight / max(self.left, weight)
        self.left -= weight
        over = monotonic() + max(share, LEAST_S)
        return explore(
            variant.program,
            strategy,
            seed=seed,
            races=variant.races,
            plain_points=variant.plain_points,
            early=variant.early,
            shrink=weight > 1,
            about={"scenario": scenario.name, "variant": name},
            stop=lambda: monotonic() > over or self.stop(),  # after a schedule: none is cut on a busy machine
            **more,
        )

    def fails(self, exhibit: Exhibit, name: str, says: str) -> None:
        """Search a variant, which must fail and say `says`, with every strategy, and once more to shrink the schedule."""
        scenario = exhibit.scenario
        strategies = {}
        best = (MANY, PORTFOLIO, 1)
        for strategy in STRATEGIES:
            counts = self.counts(exhibit, name, says, strategy)
            found = [(schedules, strategy, seed) for seed, schedules in enumerate(counts, 1) if schedules]
            best = min([best, *found])
            # Those that found nothing come last, so the median is 0 if they are most.
            median = [*sorted(schedules for schedules, *_ in found), *[0] * len(counts)][len(counts) // 2]
            strategies[strategy] = Found(median, len(found), len(counts))
        schedules, strategy, seed = best
        failure = self.search(scenario, name, strategy, seed, LONG, schedules=schedules).failure
        if failure is None:
            exhibit.wrong.append(f"{name}: not found: {says}")
            return
        threads = [step.thread for step in failure.record.steps[1:]]
        switches = sum(one != other for one, other in pairwise(threads))
        exhibit.failing.append(
            Failing(name, failure.message, strategies, switches, failure.preemptions, failure.schedule)
        )

    def counts(self, exhibit: Exhibit, name: str, says: str, strategy: str) -> list[int]:
        """Schedules to the first failure with one seed after the other, 0 for none; ends when most have found none."""
        seeds = 1 if strategy in SYSTEMATIC else self.seeds
        counts: list[int] = []
        while len(counts) < seeds and counts.count(0) <= seeds // 2:
            seed = len(counts) + 1
            result = self.explored(exhibit.scenario, name, strategy, seed)
            failure = result.failure
            if failure and says not in str(failure):
                exhibit.wrong.append(f"{name}: {strategy} with seed {seed} found another failure: {failure}")
                failure = None
            counts.append(result.schedules if failure else 0)
        self.left -= seeds - len(counts)
        return counts

    def passes(self, exhibit: Exhibit, name: str) -> None:
        """Search a variant that must not fail."""
        result = self.search(exhibit.scenario, name, PORTFOLIO, 1, LONG, schedules=MANY)
        claim = result.claim
        exhibit.passed.append(Passed(name, claim, result.schedules))
        if not claim.passed or (claim.kind is Kind.UNDECIDED and not self.stop()):
            exhibit.wrong.append(f"{name}: {claim}")

    def costs(self, exhibit: Exhibit, cost: Cost) -> None:
        """Count both figures."""
        seed, fix = counted(cost.seed, cost.schedules), counted(cost.fix, cost.schedules)
        exhibit.costs.append((seed, fix))
        if not seed > fix:
            exhibit.wrong.append(f"{cost.what}: {seed:g} at the seed is not more than {fix:g} with the remedy")


def rate(variant: Variant, schedules: int) -> float:
    """The share of as many random schedules that fail, of seeds from 1 on."""
    program, races = variant.program, variant.races
    failed = sum(
        explore(program, "random", schedules=1, seed=seed, races=races, shrink=False).failure is not None
        for seed in range(1, schedules + 1)
    )
    return failed / schedules


def counted(figure: Counted, schedules: int) -> float:
    """The mean of a figure over as many random schedules, of seeds from 1 on; raises RuntimeError if one of them fails."""
    total = 0.0
    for seed in range(1, schedules + 1):
        figures: list[float] = []
        result = explore(figure(figures), "random", schedules=1, seed=seed, races=False)
        if result.failure or not figures:
            raise RuntimeError(f"nothing to count: {result}")
        total += figures[0]  # the schedule may be run once more, to see whether it is the same
    return total / schedules
