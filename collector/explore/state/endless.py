"""A schedule that grows long: looked at for a thread that spins, then run on in turn, and at last given up.

Theory of operation.  Every LOOK steps the trail is looked at for a spin (`state.spin`).  At `steps_allowed` the strategy
has had its say, and the threads go on in turn, where a livelock proves itself (`state.fair`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine.carrier import MAIN
from collector.explore.machine.fault import Fault
from collector.explore.state.fair import SATURATED, Fair, Lasso
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
        self.spin = Spin(machine)
        self.strategy: Pick = self.fair.pick
        """Who picks when the suspicion of a spin is over."""
        self.turns_from = 0
        """Entries of the trail from which the threads go on in turn."""

    def begin(self) -> None:
        """A new schedule."""
        self.fair.begin()
        self.turns_from = self.execution.steps_allowed
        self.execution.limit = min(LOOK, self.turns_from)

    def overrun(self) -> None:
        """Look for a spin; in the end go on in turn, and then give the schedule up."""
        at = len(self.execution.trail)
        if at < self.turns_from:
            self.execution.limit = min(at + LOOK, self.turns_from)
            if self.spin.suspected():
                self.strategy = self.execution.strategy
                self.execution.let(self._spinning)
        elif at < self.last_step:
            self.execution.limit = self.last_step
            self.execution.let(self._in_turn)
        else:
            self.execution.give_up(Fault("endless", f"no end after {at} steps, and no state that comes again"))

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
        """Nobody can run; a livelock if it was like this before."""
        return self._livelock() if self.fair.stuck() else None

    def _spinning(self, i: int) -> int:
        """The strategy's pick, while a thread is suspected to spin."""
        if self.spin.over(i):
            self.execution.let(self.strategy)
        return self.strategy(i)

    def _in_turn(self, i: int) -> int:
        t = self.fair.pick(i)
        if t == MAIN:
            self.execution.give_up(self._livelock())
        return t

    def _livelock(self) -> Fault:
        """The state has been there before: say between which steps, and who goes round in the circle."""
        trail, names = self.execution.trail, self.machine.names
        lasso = self.fair.lasso or Lasso(0, len(trail), 0, counting=True)
        circle = sorted({t for t in trail[lasso.begin : lasso.end] if t >= 0})
        who = " and ".join(names[t] for t in circle)
        goes = "goes" if len(circle) == 1 else "go"
        but = f", but for what counts, {SATURATED} times in a row" if lasso.counting else ""
        return Fault("livelock", f"{who} {goes} round in a circle: the state comes again{but}", lasso=lasso)
