"""Interactive simulation: runs the choices made so far, and stops in front of the next one.

A choice is an entry of a trail: the thread that takes the next step, or `~1 - v` for a value v that `choose` gives.
Nothing is kept from one choice to the next but the choices: the program is run again with them, so to go back is to leave
some out.  What is not chosen goes by default (`collector.explore.default`), or as a strategy draws it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from collector.explore.default import Following, default
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from collector.explore.machine.unwatched import Unwatched
from collector.explore.program import no_collection, run_and_check, set_up
from collector.explore.races.report import Witness
from collector.explore.replay import Replay, machine_of
from collector.explore.trace.recorder import Recorder
from collector.explore.watchdog import watched
from workbuf.machine import Aborted


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.program import Program
    from collector.explore.strategies.base import Strategy
    from collector.explore.token import Token
    from collector.explore.trace.step import Act, Schedule, Value

PAUSES = "pauses until another thread has written something that it has read"
ENDED = "has ended"
LEFT_OUT = "is left out, as in the token"


class Ahead(NamedTuple):
    """What one thread does next."""

    thread: int
    name: str
    act: Act | None
    """None: it has ended."""
    waits: str
    """Why it cannot go; empty if it can."""


@dataclass(frozen=True)
class Situation:
    """Where the schedule stands when all that was chosen has been done."""

    choices: tuple[int, ...]
    schedule: Schedule
    """The steps so far."""
    recorder: Recorder
    words: tuple[int, ...]
    """The memory."""
    ahead: tuple[Ahead, ...] = ()
    """Of every thread; empty if the schedule is over."""
    usual: int = MAIN
    """The choice by default."""
    values: int = 0
    """How many values there are to choose from; 0: a thread is to be chosen."""

    @property
    def over(self) -> bool:
        """There is nothing to choose any more."""
        return not self.ahead

    @property
    def able(self) -> tuple[int, ...]:
        """The choices that there are."""
        if self.values:
            return tuple(~1 - v for v in range(self.values))
        return tuple(one.thread for one in self.ahead if not one.waits)

    def cells(self, part: str = "") -> list[tuple[str, Value]]:
        """The cells in whose names that occurs, with what is in them."""
        return list(self.recorder.cells(self.words, part))


class Stopping(Following):
    """Follows the choices and stops behind the last: `stop(i, n)` says that thread i came there, to choose of n values."""

    def __init__(self, machine: SteppedMachine, choices: Sequence[int], stop: Callable[[int, int], object]) -> None:
        super().__init__(machine, choices)
        self.stop = stop

    def pick(self, i: int) -> int:
        """See `SteppedMachine.run`."""
        if self.left:
            return super().pick(i)
        self.stop(i, 0)
        return MAIN

    def draw(self, i: int, n: int) -> int:
        """See `SteppedMachine.run`."""
        if self.left:
            return super().draw(i, n)
        self.stop(i, n)
        return self._leave()

    def _leave(self) -> NoReturn:
        self.machine.abort()
        raise Aborted


class Simulation:
    """Schedules of one program, under the rules of a token: which accesses are steps, whether races count."""

    def __init__(self, token: Token, program: Program) -> None:
        self.rules = replace(token, deviations=(), steps=0, digest=0)
        self.program = program

    def at(self, choices: Sequence[int]) -> Situation:
        """Run `choices` and look around."""
        recorder, witness = Recorder(sources=True), Witness()
        machine = machine_of(self.rules, witness, recorder)
        stopped: list[Situation] = []

        def stop(i: int, n: int) -> None:
            # Before the threads are brought out of their bodies, which may write.
            schedule = recorder.schedule(None)
            ahead = tuple(self._ahead(machine, recorder, t) for t in range(len(machine.names)))
            usual = ~1 if n else default(machine, i)
            words = tuple(machine.memory.words)
            stopped.append(Situation(tuple(machine.trail), schedule, recorder, words, ahead, usual, n))

        with no_collection(), watched(machine, self.program):
            try:
                check = set_up(machine, self.program)
                stopping = Stopping(machine, choices, stop)
                fault = run_and_check(machine, stopping.pick, stopping.draw, check, (recorder.observe,))
                if stopped:
                    return stopped[0]
                schedule = recorder.schedule(fault, list(witness.races.values()))
                return Situation(tuple(machine.trail), schedule, recorder, tuple(machine.memory.words))
            finally:
                machine.close()

    def complete(
        self,
        choices: Sequence[int],
        by: Strategy | None = None,
        times: int = 1,
        until: float = inf,
        *,
        hangs: bool = True,
    ) -> tuple[list[int], Fault | None, int]:
        """`choices` and then what a strategy picks, or the default, to the end; up to so many times, until one fails.

        None is begun behind `until`, by the monotonic clock, but the first.  Without `hangs` nobody looks at one that does
        not end: at the token's limit of steps it is given up as endless.

        Returns the last one's trail, how it failed, and which one it was.
        """
        machine = machine_of(self.rules, Witness())
        if not hangs:
            machine.execution.watch = Unwatched(machine.execution)
        fault, n = None, 0
        with no_collection(), watched(machine, self.program):
            try:
                while fault is None and n < times and not (n and monotonic() >= until):
                    n += 1
                    check = set_up(machine, self.program)
                    pick, draw = _then(machine, choices, by)
                    fault = run_and_check(machine, pick, draw, check)
                    if by:
                        by.end(machine)
                return machine.trail[:], fault, n
            finally:
                machine.close()

    def choices(self, token: Token) -> tuple[int, ...]:
        """What a token of this program chooses, default steps too."""
        with no_collection():
            again = Replay(token, self.program)
        if again.diverged:
            raise ValueError(again.diverged)
        return tuple(again.machine.trail)

    def token(self, choices: Sequence[int]) -> Token:
        """The token of the schedule that begins with `choices` and goes on by default."""
        with no_collection():
            machine = machine_of(self.rules, Witness())
            try:
                with watched(machine, self.program):
                    check = set_up(machine, self.program)
                    following = Following(machine, choices)
                    run_and_check(machine, following.pick, following.draw, check)
            finally:
                machine.close()
            token = replace(self.rules, deviations=tuple(following.used))
            again = Replay(token, self.program)
        return replace(token, steps=again.steps, digest=again.digest)

    def _ahead(self, machine: SteppedMachine, recorder: Recorder, t: int) -> Ahead:
        """What a thread does next."""
        if machine.has_ended(t):
            return Ahead(t, machine.names[t], None, LEFT_OUT if t in self.rules.muted else ENDED)
        waits = ""
        if t not in machine.runnable:
            waits = PAUSES if machine.flags[t] & PAUSED and not machine.stale[t] else machine.reason(t)
        return Ahead(t, machine.names[t], recorder.ahead(t), waits)


def _then(machine: SteppedMachine, choices: Sequence[int], by: Strategy | None) -> tuple[Pick, Draw]:
    """Follow the choices, then the strategy."""
    if by is None:
        following = Following(machine, choices)
        return following.pick, following.draw
    theirs, values = by.begin(machine)
    following = Following(machine, choices)

    def pick(i: int) -> int:
        return following.pick(i) if following.left else theirs(i)

    def draw(i: int, n: int) -> int:
        return following.draw(i, n) if following.left else values(i, n)

    return pick, draw
