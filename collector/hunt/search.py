"""The search: the worlds in turn, each for a little while, then each for longer, until one fails as the run did.

The strategies take turns: one follows the order that the log has, and its neighbours, one holds threads back where somebody
may come in between, the others draw their own.  The next round begins where anything has failed, though in another way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from collector.explore import explore
from collector.explore.default import Following
from collector.explore.simulation import Simulation
from collector.explore.strategies import NAMED
from collector.explore.strategies.base import Options, Sampler
from collector.explore.strategies.portfolio import Portfolio
from collector.explore.token import Token
from collector.fixtures.lives import LIVES
from collector.fixtures.show import HEADS
from collector.hunt.active import Active
from collector.hunt.observed import Observed
from collector.hunt.worlds import parsed, program, worlds


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.result import Result
    from collector.explore.strategies.base import Strategy
    from collector.hunt.facts import Facts

STRATEGIES = ("observed", "active", "pct", "active", "random", "active", "pos")
"""One after the other, world by world and round by round; see `collector.hunt.observed` and `.active` for the first two."""
FIRST, MOST = 8, 0.5
"""Schedules of a world in the first round, and the seconds that they may take; each round has twice as many."""
NEAREST = 12
"""Worlds of the first round; each round has twice as many."""
ENDLESS = "endless"
"""The kind of fault of a schedule that was given up because it did not end."""
MARKS = ("spanmeta",)
"""What the bytes of marks lie in."""
LONGEST, BRIEF = 4_000, 2_000
"""Steps after which a schedule goes on in turn, and is looked at for a hang, for each collection: with programs of stress
runs, and without."""


@dataclass
class Try:
    """One world, searched once."""

    world: str
    strategy: str
    schedules: int
    seconds: float
    """Of the search; shrinking what it found comes on top."""
    came: str
    """What came of it: a failure's message, empty if there was none."""


@dataclass
class Hunt:
    """What a hunt has come to."""

    tried: list[Try] = field(default_factory=list)
    world: str = ""
    result: Result | None = None
    """That of the failure of the same kind."""
    other: tuple[str, Result] | None = None
    """The first failure of another kind, and its world."""


class Again(Sampler):
    """The one schedule that has failed."""

    name = "hunt"

    def __init__(self, trail: Sequence[int]) -> None:
        super().__init__(Options())
        self.trail = trail

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        following = Following(machine, self.trail)
        return following.pick, following.draw


def method(name: str, known: Facts, options: Options) -> Strategy:
    """The strategy of that name."""
    if name == "active":
        return Active(options, HEADS if known.buffers else MARKS if known.marks else (), late=known.buffers)
    made = Observed(options, known.order) if name == "observed" else NAMED[name](options)
    if isinstance(made, Portfolio):
        raise TypeError(f"{name} does not draw each schedule by itself")
    return made


def hunt(known: Facts, seconds: float, seed: int, about: dict[str, object], say: Callable[[str], object]) -> Hunt:
    """Look for a schedule that fails as the run did; `say` is told which world is searched."""
    found = Hunt()
    end = monotonic() + seconds
    turn = 0
    names = worlds(known)
    while monotonic() < end:
        for at, name in enumerate(names[: NEAREST << turn]):
            if monotonic() >= end:
                break
            strategy = STRATEGIES[(turn + at) % len(STRATEGIES)]
            say(f"{name}, {strategy}")
            schedules = FIRST << turn
            by = method(strategy, known, Options(seed + turn, schedules))
            look(found, known, Place(name, strategy, about), by, schedules, min(end, monotonic() + MOST * 2**turn))
            if found.result:
                return found
        turn += 1
        # Where anything has failed is where it happens.
        failed = {one.world for one in found.tried if one.came}
        names.sort(key=lambda name: name not in failed)
    return found


class Place(NamedTuple):
    """Where is searched, and how."""

    world: str
    strategy: str
    about: dict[str, object]


def look(found: Hunt, known: Facts, place: Place, by: Strategy, schedules: int, until: float) -> None:
    """So many schedules of one world, until one fails as the run did; notes what came of it."""
    began, seconds, done, came = monotonic(), 0.0, 0, ""
    made = parsed(place.world)
    limit = (BRIEF if LIVES.keys() >= set(made.lives) else LONGEST) * len(made.plan)
    simulation = Simulation(Token(limit=limit), program(made))
    told = {**place.about, "scenario": place.world, "variant": ""}
    while done < schedules and (not done or monotonic() < until):
        # Nothing is claimed of the schedules that pass, so nothing else is looked at than whether they do.  To prove a hang
        # takes as long as hundreds of schedules: only where one is wanted.
        trail, fault, n = simulation.complete((), by, schedules - done, until, hangs=known.hang)
        done, seconds = done + n, monotonic() - began
        if fault and fault.kind == ENDLESS:
            continue
        wanted = fault is not None and known.same(fault)
        came = came or (fault.message if fault else "")
        if fault is None or (found.other and not wanted):
            continue
        result = explore(
            simulation.program, Again(trail), schedules=1, steps=limit, races=False, about=told, shrink=wanted
        )
        if wanted and result.failure:
            found.world, found.result, came = place.world, result, str(result.failure)
            break
        found.other = found.other or (place.world, result)
    found.tried.append(Try(place.world, place.strategy, done, seconds, came))
