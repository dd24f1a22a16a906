"""The two kinds of checks of a mutant, each for a process of its own: race programs, and stress."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from time import process_time
from typing import TYPE_CHECKING

from collector.faults import FAULTS
from collector.fusedmark import WRITTEN_OUT
from collector.mutation import battery
from collector.mutation.battery import killed
from collector.mutation.programs import RACES
from collector.mutation.turns import Unfused, stressed
from collector.scenarios.museum import Exhibit, Found, Museum
from collector.scenarios.scenario import Scenario, Variant
from collector.stress.run import StressM


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from collector.mutation.battery import Candidate
    from collector.mutation.kill import Kill
    from collector.mutation.mutants import Mutant

BUDGET = 16.0
"""Seconds of processor time of all race programs of a fault, or of a mutant, together."""


@dataclass(frozen=True)
class Measured:
    """A planted fault on the stepped machine: what it was killed by, and how soon by each strategy."""

    kill: Kill | None
    strategies: dict[str, Found]
    switches: int
    """Context switches of the shrunk schedule."""


def race_fault(name: str, schedules: int, seconds: float, seeds: int, seed: int) -> Measured:
    """Find a race program that kills the fault, and measure the strategies with it."""
    fault = FAULTS[name]
    kill, candidate = killed(within(battery.of_fault(fault, schedules), BUDGET), seed)
    if kill is None or candidate is None:
        return Measured(None, {}, 0)
    variant = Variant(candidate.program, kill.check, races=candidate.races, plain_points=candidate.plain_points)
    scenario = Scenario(f"fault:{name}", fault.what, fault.bugs, {"": variant})
    exhibit = Exhibit(scenario)
    Museum([scenario], seconds, schedules, seeds).fails(exhibit, "", "")  # any failure will do
    failing = exhibit.failing[0] if exhibit.failing else None
    return Measured(kill, failing.strategies if failing else {}, failing.switches if failing else 0)


def within(candidates: Iterable[Candidate], seconds: float) -> Iterator[Candidate]:
    """Those that are begun before so many seconds of processor time are over."""
    end = process_time() + seconds
    return takewhile(lambda _: process_time() < end, candidates)


def stress_fault(name: str, seconds: float, seed: int) -> Kill | None:
    """Run stress with the fault."""
    return stressed(FAULTS[name].planted(StressM), seconds, seed)


def race_mutant(mutant: Mutant, programs: Sequence[str], schedules: int, seed: int) -> Kill | None:
    """Run the race programs of these names with the mutant, in their order."""
    mutant.plant()
    known = {candidate.name: candidate for candidate in battery.of_source(schedules)}
    # What is quite wrong fails in any schedule.
    first = [known[name]._replace(schedules=1) for name in programs if name in {*RACES, *battery.COLLECTIONS}]
    found, _ = killed(within([*first, *(known[name] for name in programs)], BUDGET), seed)
    return found


def stress_mutant(mutant: Mutant, seconds: float, seed: int) -> Kill | None:
    """Run stress with the mutant, by the methods if the loop that has them written out would not ask the changed one."""
    mutant.plant()
    written_out = mutant.function.rpartition(".")[2] in WRITTEN_OUT and mutant.file != "collector/fusedmark.py"
    return stressed(Unfused if written_out else StressM, seconds, seed)
