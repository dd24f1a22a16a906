"""Livelock detection: runs a long schedule on under fair scheduling; a state that repeats proves a livelock.

After `limit` steps the runnable thread that has waited longest goes, so that no thread waits for another one that is never
scheduled.  At the end of every round, and whenever all pausing threads were released together, the state is captured
(`state.whole`).  If a state repeats, the schedule can go on like that for ever.  If every thread that could run on the way
did run, the schedule is fair, and it is a livelock; the steps between the two visits are its lasso (Musuvathi and Qadeer,
Fair stateless model checking, 2008, ask for the same of a fair cycle).

There is no other proof.  The state of a program that counts, or that asks for the time, never repeats, and a state with
something opaque cannot be compared.  Such a schedule is given up after another `limit` steps, undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.fault import Lasso
from collector.explore.state.whole import States


if TYPE_CHECKING:
    from collector.explore.machine.machine import SteppedMachine


BUDGET = 1_000_000
"""Values that may be written for all captures of one schedule: with a container that grows each capture costs more."""


class Lassos:
    """Watches one schedule for a state that comes again."""

    def __init__(self, machine: SteppedMachine, states: States) -> None:
        self.machine = machine
        self.states = states
        self.visits: dict[bytes, int] = {}
        """A state's last visit, as a place in the trail."""
        self.opaque: tuple[str, ...] = ()
        """What could not be compared at the last capture."""
        self.spent = states.capture.written

    def begin(self) -> None:
        """A new schedule."""
        self.visits.clear()
        self.opaque = ()
        self.spent = self.states.capture.written

    def visit(self) -> Lasso | None:
        """Look at the state between two steps; the lasso if it has been there before."""
        machine, states = self.machine, self.states
        if states.capture.written - self.spent > BUDGET:
            return None
        state = states.now(machine.execution.clock)
        if state.opaque:
            self.opaque = state.opaque
            return None
        at = len(machine.trail)
        last = self.visits.get(state.digest)
        self.visits[state.digest] = at
        return None if last is None else Lasso(last, at)


class Fair:
    """The end of a schedule that has grown too long: threads in turn, watched for a lasso."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.states = States(machine)
        self.lassos = Lassos(machine, self.states)
        self.lasso: Lasso | None = None
        self.last: dict[int, int] = {}
        """Thread to its last step."""
        self.led = False
        """A thread went that had not waited longest: from then on every state is captured."""
        self.round = 0
        """Where the round began."""
        self.could: dict[int, tuple[int, ...]] = {}
        """Place in the trail to who could run there."""

    def begin(self) -> None:
        """A new schedule."""
        self.lassos.begin()
        self.lasso = None
        self.last.clear()
        self.led = False
        self.round = 0
        self.could.clear()

    def pick(self, _i: int) -> int:
        """The runnable thread that has waited longest."""
        machine, last, at = self.machine, self.last, len(self.machine.trail)
        script = machine.execution.script
        t = min(machine.runnable, key=lambda t: last.get(t, -1))
        if script:
            usual, t = t, script(t)
            self.led = self.led or t != usual
            if t < 0:
                return MAIN
        if self.led or last.get(t, -1) >= self.round:
            self.round = at
            if self.look():
                return MAIN
        last[t] = at
        self.could[at] = tuple(machine.runnable)
        return t

    def stuck(self) -> bool:
        """No thread can run; True if the state repeats.  The first times it is not captured, which is slow."""
        return self.machine.releases > 2 and self.look()

    def look(self) -> bool:
        """Capture the state; True if it repeats and every thread that could run in between did."""
        lasso = self.lassos.visit()
        if lasso and self._fair(lasso):
            self.lasso = lasso
        return self.lasso is not None

    def _fair(self, lasso: Lasso) -> bool:
        machine = self.machine
        ran = set(machine.trail[lasso.begin : lasso.end])
        if machine.runnable or lasso.begin in self.could:
            return all(ran.issuperset(self.could.get(at, ())) for at in range(lasso.begin, lasso.end))
        # Before the limit it is not noted which threads can run.  At both ends none can, so a thread that could run in
        # between, and did not, waits for a lock or a note that was free for a while.
        waits = (t for t in range(len(machine.names)) if t not in ran and machine.kinds[t] in ops.WAITING)
        return all(machine.threads.awaited[machine.addrs[t]] <= lasso.begin for t in waits)
