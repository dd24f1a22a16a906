"""Runs a program under a strategy to the very end, and says which Mazurkiewicz trace each schedule belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.explore.machine.observed import ObservedMemory
from collector.explore.program import new_machine, run_and_check, set_up
from collector.explore.strategies import NAMED
from collector.explore.strategies.base import Options
from collector.explore.strategies.dpor.dependence import Step, dependent, pending
from collector.explore.strategies.portfolio import Portfolio


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.explore import SteppedMachine
    from collector.explore.machine.execution import Draw
    from collector.explore.machine.fault import Fault
    from collector.explore.strategies.base import Strategy
    from tests.collector.explore.programs import Program

    Trace = frozenset[tuple[object, ...]]


class TooMany(Exception):
    """The program has more schedules than the test wants to wait for."""


@dataclass
class Execution:
    """One schedule."""

    fault: Fault | None
    memory: tuple[int, ...]
    steps: list[Step]
    eras: list[int]
    """Per step, how many times those who pause had been let go."""
    pruned: bool

    @property
    def outcome(self) -> tuple[str, tuple[int, ...]]:
        """How it ended."""
        return str(self.fault and self.fault.message), self.memory

    @property
    def trace(self) -> Trace:
        """What all schedules have in common that differ only in the order of independent steps."""
        counts: dict[int, int] = {}
        named = []
        for step in self.steps:
            counts[step.thread] = counts.get(step.thread, 0) + 1
            named.append((step.thread, counts[step.thread]))
        return frozenset(
            (named[j], step.value, frozenset(named[i] for i in range(j) if self._before(i, j)), self.eras[j])
            for j, step in enumerate(self.steps)
        )

    def _before(self, i: int, j: int) -> bool:
        x, y = self.steps[i], self.steps[j]
        return x.thread != y.thread and dependent(x, y)


def executions(program: Program, strategy: str, limit: int = 20_000, early: int = 0) -> Iterator[Execution]:
    """All schedules that `strategy` runs of `program`, whether they fail or not."""
    search = NAMED[strategy](Options())
    assert not isinstance(search, Portfolio), "a portfolio has more than one machine"
    return runs_of(program, search, limit, early)


def runs_of(program: Program, search: Strategy, limit: int = 20_000, early: int = 0) -> Iterator[Execution]:
    """All schedules that `search` runs of `program`, whose threads' pauses may end `early` so often."""
    machine = new_machine(memory=ObservedMemory() if search.observes else None)
    machine.threads.early = early
    try:
        for _ in range(limit):
            check = set_up(machine, program)
            pick, draw = search.begin(machine)
            noted = Noted(machine, draw)
            fault = run_and_check(machine, pick, noted.draw, check, [noted.observe])
            if machine.execution.undecided:
                raise TooMany  # a schedule that did not end has no end to compare
            yield Execution(fault, tuple(machine.mem), noted.steps, noted.eras, fault is None and not machine.complete)
            search.end(machine)
            if search.done:
                return
    finally:
        machine.close()
    raise TooMany


class Noted:
    """The steps of one schedule."""

    def __init__(self, machine: SteppedMachine, draw: Draw) -> None:
        self.machine = machine
        self.drawn = draw
        self.steps: list[Step] = []
        self.eras: list[int] = []

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self.steps.append(pending(self.machine, t))
        self.eras.append(self.machine.releases)

    def draw(self, i: int, n: int) -> int:
        """The last step was to choose."""
        v = self.drawn(i, n)
        self.steps[-1] = self.steps[-1]._replace(value=v)
        return v
