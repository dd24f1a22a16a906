"""The detection matrix: every planted fault, and every mutant of the source, against race programs and stress."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from collector.faults import FAULTS
from collector.mutation import checks, judgement
from collector.mutation.battery import coverage
from collector.mutation.cell import isolated
from collector.mutation.checks import BUDGET, Measured
from collector.mutation.kill import RACE, STRESS, Kill
from collector.scenarios.museum import Found


if TYPE_CHECKING:
    from collector.mutation.mutants import Mutant

STARTS = 10.0
"""Seconds for a process to begin and to end."""
KILLED, EQUIVALENT, ASIDE, SURVIVED, WRONG = "killed", "equivalent", "set aside", "survived", "wrongly judged"


@dataclass(frozen=True)
class Limits:
    """What a fault or a mutant is given."""

    schedules: int = 3000
    """Of a race program."""
    seconds: float = 10.0
    """Of stress; and of the strategies' searches for a planted fault."""
    seeds: int = 3
    seed: int = 1

    def __str__(self) -> str:
        """As options."""
        return f"--seconds {self.seconds:g} --schedules {self.schedules} --seeds {self.seeds}"


@dataclass(frozen=True)
class FaultRow:
    """A planted fault."""

    name: str
    race: Kill | None
    strategies: dict[str, Found] = field(default_factory=dict)
    switches: int = 0
    stress: Kill | None = None
    limits: str = ""
    """By which options it was run; empty: they were not kept."""

    @property
    def verdict(self) -> str:
        """Killed by anything?"""
        kill = self.race or self.stress
        if FAULTS[self.name].equivalent:
            return WRONG if kill else EQUIVALENT
        return KILLED if kill else SURVIVED

    @classmethod
    def read(cls, record: dict[str, Any]) -> FaultRow:
        """From its record."""
        strategies = {name: Found(**found) for name, found in record["strategies"].items()}
        race, stress = kill(record["race"]), kill(record["stress"])
        return cls(record["name"], race, strategies, record["switches"], stress, record.get("limits", ""))


@dataclass(frozen=True)
class MutantRow:
    """A mutant of the source."""

    id: str
    file: str
    line: int
    kill: Kill | None
    limits: str = ""
    """As above."""

    @property
    def verdict(self) -> str:
        """Killed, or judged?"""
        if self.kill:
            return WRONG if judgement.equivalent(self.id) else KILLED
        return EQUIVALENT if judgement.equivalent(self.id) else SURVIVED

    @classmethod
    def read(cls, record: dict[str, Any]) -> MutantRow:
        """From its record."""
        return cls(record["id"], record["file"], record["line"], kill(record["kill"]), record.get("limits", ""))


def kill(record: dict[str, Any] | None) -> Kill | None:
    """From its record."""
    return Kill(**record) if record else None


def record(row: FaultRow | MutantRow) -> dict[str, Any]:
    """For JSON."""
    return asdict(row)


def fault_row(name: str, limits: Limits) -> FaultRow:
    """Both kinds of checks, whatever comes of the first: the matrix says which sees what."""
    options = limits.schedules, limits.seconds, limits.seeds, limits.seed
    measured = isolated(RACE, checks.race_fault, STARTS + 2 * BUDGET + limits.seconds, name, *options)
    if isinstance(measured, Kill):
        measured = Measured(measured, {}, 0)
    stress = isolated(STRESS, checks.stress_fault, STARTS + 2 * limits.seconds, name, limits.seconds, limits.seed)
    return FaultRow(name, measured.kill, measured.strategies, measured.switches, stress, str(limits))


def functions_run() -> dict[str, list[str]]:
    """By the name of each race program, the functions that it runs."""
    ran: dict[str, list[str]] = isolated(RACE, coverage, 300.0)
    return ran


def programs(mutant: Mutant, ran: dict[str, list[str]]) -> list[str]:
    """The race programs that run the function which the mutant changes, the most special ones first."""
    wanted = f"{mutant.file} {mutant.function}"
    return sorted((name for name, functions in ran.items() if wanted in functions), key=lambda name: len(ran[name]))


def mutant_row(mutant: Mutant, ran: dict[str, list[str]], limits: Limits) -> MutantRow:
    """Race programs, and stress if none of them has killed it."""
    names = programs(mutant, ran)
    found: Kill | None = None
    if names:
        found = isolated(RACE, checks.race_mutant, STARTS + 2 * BUDGET, mutant, names, limits.schedules, limits.seed)
    if found is None:
        found = isolated(STRESS, checks.stress_mutant, STARTS + 2 * limits.seconds, mutant, limits.seconds, limits.seed)
    return MutantRow(mutant.id, mutant.file, mutant.line, found, str(limits))
