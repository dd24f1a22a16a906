"""Handles schedules that do not end: detects spinning threads, then livelocks, and gives up at a limit.

Every LOOK steps the trail is examined for a thread that spins (`state.spin`).  At `steps_allowed` the strategy is replaced
by a fair one, under which a livelock can be proved (`state.fair`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.carrier import MAIN
from collector.explore.machine.fault import Fault
from collector.explore.state.fair import Fair
from collector.explore.state.spin import LOOK, Spin


if TYPE_CHECKING:
    from collector.explore.machine.execution import Pick
    from collector.explore.machine.machine import SteppedMachine


class Endless:
    """Watches the schedules of one machine."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.execution = machine.execution
        self.fair = Fair(machine)
        self.spin = Spin(machine, self.fair.states)
        self.strategy: Pick = self.fair.pick
        """Who picks when the suspicion of a spin is over."""
        self.looked = False
        """This schedule has been looked at."""
        self.turns_from = 0
        """Entries of the trail from which the threads go on in turn."""

    def begin(self) -> None:
        """A new schedule."""
        if self.looked:
            self.looked = False
            self.fair.begin()
        self.turns_from = self.execution.steps_allowed
        self.execution.limit = min(LOOK, self.turns_from)

    def overrun(self) -> None:
        """Look for a spin; in the end go on in turn, and then give the schedule up; at once if its time is over."""
        self.looked = True
        at = len(self.execution.trail)
        if self.execution.late:
            self.execution.give_up(None)
        elif at < self.turns_from:
            self.execution.limit = min(at + LOOK, self.turns_from)
            if self.spin.suspected():
                self.strategy = self.execution.strategy
                self.execution.let(self._spinning)
        elif at < self.last_step:
            self.execution.limit = self.last_step
            self.execution.let(self._in_turn)
        else:
            self.execution.undecided = self._undecided()
            self.execution.give_up(None)

    @property
    def last_step(self) -> int:
        """Steps after which a schedule is given up."""
        return self.turns_from + max(self.turns_from, LOOK)

    def go_round(self, i: int) -> int:
        """From here on the threads go in turn; who goes now that thread `i` has come to its step."""
        self.turns_from = len(self.execution.trail)
        self.overrun()
        return self.execution.pick(i)

    def stuck(self) -> Fault | None:
        """No thread can run: a livelock if this state has been there before."""
        self.looked = True
        return self._livelock() if not self.execution.late and self.fair.stuck() else None

    def _spinning(self, i: int) -> int:
        """The strategy's pick, while a thread is suspected to spin."""
        if self.spin.over(i):
            self.execution.let(self.strategy)
        return self.strategy(i)

    def _in_turn(self, i: int) -> int:
        if self.execution.late:
            return MAIN
        t = self.fair.pick(i)
        if t == MAIN:
            self.execution.give_up(self._livelock() if self.fair.lasso else None)
        return t

    def _undecided(self) -> str:
        """Why a schedule that did not end is undecided."""
        longer = f"longer than steps={self.turns_from}"
        more = f"(steps={2 * self.turns_from} looks further)"
        opaque = self.fair.lassos.opaque
        if opaque:
            return f"{longer}; {opaque[0]}, which cannot be looked into, so no livelock can be proved {more}"
        if self.execution.clock:
            return f"{longer}, and asks for the time, so that no state comes again {more}"
        return f"{longer}, and no state came again {more}"

    def _livelock(self) -> Fault:
        """The fault for a state that repeats: between which steps, and which threads run on the way."""
        trail, names = self.execution.trail, self.machine.names
        lasso = self.fair.lasso
        assert lasso is not None  # noqa: S101  who calls this has just found it
        circle = sorted({t for t in trail[lasso.begin : lasso.end] if t >= 0})
        who = " and ".join(names[t] for t in circle)
        goes = "goes" if len(circle) == 1 else "go"
        return Fault("livelock", f"{who} {goes} round in a circle: the state comes again", lasso=lasso)
