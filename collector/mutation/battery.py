"""What a mutant has to pass on the stepped machine: race programs, fixed variants of scenarios, small whole collections.

For a planted fault, the programs whose class of Ms can be chosen; for a mutant of the source, all that run its function.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, NamedTuple

from collector.explore import explore
from collector.explore.claim import Kind
from collector.fixtures.cycles import cycle
from collector.fixtures.lives import LIVES
from collector.hunt.worlds import TimelessM
from collector.mutation.kill import RACE, Kill
from collector.mutation.mutants import ROOT
from collector.mutation.programs import FOUND_BY, RACES
from collector.mutation.race import Race
from collector.runtime import CollectorM
from collector.scenarios.registry import SCENARIOS


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType, FrameType

    from collector.explore import SteppedMachine
    from collector.explore.program import Check, Program
    from collector.faults import Fault

WORLDS = (
    ("move+hide", 3, 0),
    ("wander+wander", 3, 1),
    ("publish+hide", 3, 1),
    ("call+move", 7, 1),
    ("wander+wander", 20, 1),
)
"""Whole collections: what two mutators do, objects, helpers.  A schedule of one takes as long as hundreds of the others."""
FEW = 40
"""Schedules of a whole collection."""
EACH, LONGER = 0.8, 2.0
"""Seconds of processor time of a race program; of a whole collection, and of the program that was written for a fault."""
LOOK = 1
"""Schedules that tell which functions a program runs."""


class Candidate(NamedTuple):
    """A program that may kill a mutant."""

    name: str
    program: Program
    schedules: int
    plain_points: bool = False
    races: bool = True
    """A data race is a failure, too."""
    seconds: float = EACH


def collection(lives: str, objects: int, helpers: int) -> Race:
    """A whole collection."""

    def made(m: type[TimelessM]) -> Program:
        def program(machine: SteppedMachine) -> Check:
            return cycle(machine, objects, helpers, [LIVES[life] for life in lives.split("+")], m)

        return program

    return Race(TimelessM, made)


COLLECTIONS = {
    f"cycle:{lives}:{objects}:{helpers}": collection(lives, objects, helpers) for lives, objects, helpers in WORLDS
}


def of_fault(fault: Fault, schedules: int) -> Iterator[Candidate]:
    """Its own program; those of small parts; a schedule of each other; more of whole collections, then of whole Ms."""

    def candidate(name: str, race: Race, schedules: int, seconds: float) -> Candidate:
        # Races are no failures: a fault races on its way to what it is about.
        return Candidate(name, race.program(fault), schedules, race.plain_points, races=False, seconds=seconds)

    own = FOUND_BY.get(fault.name, "")
    if own:
        yield candidate(own, RACES[own], schedules, LONGER)
    collections = [(name, race) for name, race in COLLECTIONS.items() if race.takes(fault)]
    others = {name: race for name, race in RACES.items() if name != own and race.takes(fault)}
    small = [name for name in others if others[name].part is not CollectorM]
    yield from (candidate(name, others.pop(name), schedules, EACH) for name in small)
    yield from (candidate(name, race, 1, EACH) for name, race in (*collections, *others.items()))
    yield from (candidate(name, race, FEW, LONGER) for name, race in collections)
    yield from (candidate(name, race, schedules, EACH) for name, race in others.items())


def of_source(schedules: int) -> Iterator[Candidate]:
    """All race programs, fixed variants and whole collections; each program's name once."""
    for name, race in RACES.items():
        yield Candidate(name, race.program(), schedules, race.plain_points)
    for name, scenario in SCENARIOS.items():
        for which, variant in scenario.variants.items():
            if not variant.fails:
                yield Candidate(f"{name} {which}", variant.program, schedules, variant.plain_points, variant.races)
    for name, race in COLLECTIONS.items():
        yield Candidate(name, race.program(), FEW)


def killed(candidates: Iterable[Candidate], seed: int) -> tuple[Kill | None, Candidate | None]:
    """The first failure, and the program that failed."""
    begun = perf_counter()
    for candidate in candidates:
        run = 0
        over = process_time() + candidate.seconds
        try:
            result = explore(
                candidate.program,
                schedules=candidate.schedules,
                seed=seed,
                races=candidate.races,
                plain_points=candidate.plain_points,
                shrink=False,
                stop=lambda over=over: process_time() > over,  # type: ignore[misc]
            )
            run = result.schedules
            failure = result.failure
            check = f"{failure.kind}: {failure.message}" if failure else ""
            if result.claim.kind is Kind.REFUSED:
                check = f"refused: {result.claim.reason}"
            elif not run and not failure:
                check = f"endless: {result.claim.reason or 'no schedule has come to an end'}"
        except Exception as error:  # noqa: BLE001  a program that cannot even be set up, whatever the mutant has raised
            check = f"{type(error).__name__}: {error}"
        if check:
            return Kill(RACE, candidate.name, check, run, perf_counter() - begun), candidate
    return None, None


def coverage() -> dict[str, list[str]]:
    """By the name of each program of `of_source`, the functions of the protocol that it runs, `file name`."""
    ran: dict[str, list[str]] = {}
    for candidate in of_source(LOOK):
        codes = called(lambda candidate=candidate: explore(candidate.program, "random", schedules=LOOK, races=False))  # type: ignore[misc]
        files = ((Path(code.co_filename), code.co_qualname) for code in codes)
        ours = ((path, name) for path, name in files if path.is_relative_to(ROOT))
        ran[candidate.name] = sorted({f"{path.relative_to(ROOT).as_posix()} {name}" for path, name in ours})
    return ran


def called(run: Callable[[], object]) -> set[CodeType]:
    """The code of every function that `run` calls, greenlets' included."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return codes
