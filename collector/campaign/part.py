"""The interface between a search and the processes that share it: a part, what comes back of it, and who hands parts out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.early import EARLY
from collector.explore.strategies.base import Options
from collector.explore.workplace import Workplace


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.explore.claim import Claim
    from collector.explore.engine import Races
    from collector.explore.program import Program
    from collector.explore.result import Result
    from collector.explore.search import Progress
    from collector.explore.strategies.base import Strategy


@dataclass(frozen=True)
class Question:
    """What is explored, and how; the same for all parts.  It is sent to other processes."""

    load: Callable[[], Program]
    """Gives the program; has to be sent by reference, as functions of modules and partials of them are."""
    strategy: str = "portfolio"
    schedules: int = 10_000
    """At most, in all parts together."""
    seed: int = 1
    preemptions: int | None = None
    depth: int | None = None
    vehicle: str = "greenlets"
    races: Races = True
    plain_points: bool = False
    early: int | None = None
    ends_early: int = 0
    """Pauses of each thread that do in all parts, since that matters."""
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """For a strategy."""
        return Options(self.seed, self.schedules, self.preemptions, self.depth, races=bool(self.races))

    @property
    def most_early(self) -> int:
        """Pauses of each thread that may end early, where that matters."""
        return EARLY if self.early is None else self.early

    def explore(
        self,
        program: Program,
        seconds: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
        *,
        shrink: bool = True,
    ) -> Result:
        """The search by this process, and not in parts."""
        return explore(
            program,
            self.strategy,
            schedules=self.schedules,
            seconds=seconds,
            seed=self.seed,
            preemptions=self.preemptions,
            depth=self.depth,
            vehicle=self.vehicle,
            races=self.races,
            plain_points=self.plain_points,
            early=self.early,
            shrink=shrink,
            about=self.about,
            progress=progress,
            stop=stop,
        )


class Part(Protocol):
    """Some of a search; it is sent to the process that runs it."""

    @property
    def number(self) -> int:
        """Each has its own."""

    @property
    def schedules(self) -> int:
        """It runs no more."""

    def strategy(self, question: Question, hungry: Callable[[], bool], before: object, /) -> Strategy:
        """What explores it; `hungry` says whether another process has nothing to do.

        `before` has explored the part before that in this process.
        """

    def told(self, strategy: Any, /) -> Any:  # noqa: ANN401  each kind of part tells its own
        """What its source has to know, when it was run."""


@dataclass
class Back:
    """What comes back of a part."""

    result: Result
    whole: bool
    """It was not cut off: what was told is right, and the counts stand for it."""
    told: Any
    matters: bool = False
    """Pauses are to end early: everything is to be explored again."""


class Source(Protocol):
    """Hands out the parts of one search."""

    name: str
    share: float
    """Of the processes' time, beside other sources."""

    @property
    def done(self) -> bool:
        """Nothing is left, also of what was handed out."""

    def next(self, jobs: int, schedules: int, /) -> Part | None:
        """A part for one of so many processes, with at most so many schedules; None if there is none at the moment."""

    def back(self, part: Any, told: Any, /) -> None:  # noqa: ANN401  as in Part
        """A whole part has come back."""

    def again(self, part: Any, /) -> None:  # noqa: ANN401
        """A part will not come back: it is to be handed out again."""

    def order(self, part: Any, /) -> tuple[int, ...]:  # noqa: ANN401
        """Of two parts that fail, the one that is less has the first failure."""

    def claim(self, schedules: int, /) -> Claim:
        """What is claimed if so many schedules passed."""

    def outlook(self) -> str:
        """How much is left."""

    def record(self) -> Any:  # noqa: ANN401
        """How far it has come, as plain values; what is handed out counts as waiting."""

    def restore(self, record: Any, /) -> None:  # noqa: ANN401
        """Go on from there."""


class Worker:
    """What runs parts of one search in one process."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.program = question.load()
        self.workplace = Workplace(self.program, early=question.most_early)
        self.workplace.ends_early = question.ends_early
        self.before: Strategy | None = None
        """Of the part before."""

    def run(
        self,
        part: Part,
        seconds: float | None,
        stop: Callable[[], bool] = lambda: False,
        hungry: Callable[[], bool] = lambda: False,
    ) -> Back:
        """Explore the part."""
        question, strategy = self.question, part.strategy(self.question, hungry, self.before)
        result = explore(
            self.program,
            strategy,
            schedules=part.schedules,
            seconds=seconds,
            seed=getattr(part, "seed", question.seed),
            vehicle=question.vehicle,
            races=question.races,
            plain_points=question.plain_points,
            about=question.about,
            stop=stop,
            workplace=self.workplace,
        )
        self.before = None if result.failure or result.claim.kind is Kind.REFUSED else strategy
        whole = strategy.done or result.schedules >= part.schedules
        return Back(result, whole, part.told(strategy), self.workplace.matters)
