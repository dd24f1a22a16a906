"""What becomes of a schedule that does not end: it is run on in turn, and a state that comes again proves a livelock.

Theory of operation.  After `limit` steps the strategy has had its say; from then on the runnable threads take one step
each in turn, so that whatever waits for another thread to get on gets its wish.  At the end of every round the state is
looked at; so it is each time nobody could run and those who pause were let go together.  A *state* is the memory and,
for each thread, its next step and where its Python code stands (the chain of frames: code, instruction, the integers in
its local variables).  If a state comes again, the schedule can be repeated from there for ever, and every thread that
could run has run in between: a livelock, with the steps between the two visits as its lasso (Musuvathi and Qadeer, Fair
stateless model checking, 2008, ask for the same of a fair cycle).

Words that only count would make every state a new one.  Those allocated as statistics are left out.  Any other integer
that grows by the same amount from visit to visit, SATURATED times in a row, counts as a loop counter that has stopped to
matter: that makes the verdict a strong suspicion instead of a proof, and the message says so.

Not modelled.  Values on Python's evaluation stack and attributes of Python objects: two states that differ only there
look the same.  If nothing repeats, the schedule ends after another `limit` steps as `endless`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from collector.explore import ops
from collector.explore.vehicle import MAIN


if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from types import FrameType

    from collector.explore.machine import SteppedMachine


SATURATED = 2_000
"""Visits in a row over which what only counts has to go on counting the same way."""


class Lasso(NamedTuple):
    """A part of a trail, from one visit of a state to the next."""

    begin: int
    end: int
    first: int
    """Where the part begins that is nothing but this, again and again."""
    counting: bool
    """The state is the same but for counters."""


class Visit(NamedTuple):
    """What is remembered of a state's last visit."""

    at: int
    values: tuple[int, ...]
    change: tuple[int, ...]
    """Difference of `values` to the visit before."""
    repeats: int
    """Visits in a row with that difference."""
    since: int
    """Where the first of them was."""


class Lassos:
    """Watches one schedule for a state that comes again."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.visits: dict[Hashable, Visit] = {}

    def visit(self) -> Lasso | None:
        """Look at the state between two steps; the lasso if it has been there before."""
        control, values = self._state()
        at = len(self.machine.trail)
        last = self.visits.get(control)
        if last is None or len(last.values) != len(values):
            self.visits[control] = Visit(at, values, (), 0, at)
            return None
        change = tuple(new - old for new, old in zip(values, last.values, strict=True))
        if change == last.change:
            visit = Visit(at, values, change, last.repeats + 1, last.since)
        else:
            visit = Visit(at, values, change, 1, last.at)
        self.visits[control] = visit
        if not any(change):
            return Lasso(last.at, at, visit.since, counting=False)
        return Lasso(last.at, at, visit.since, counting=True) if visit.repeats >= SATURATED else None

    def _state(self) -> tuple[Hashable, tuple[int, ...]]:
        machine = self.machine
        values = machine.mem[:]
        for a in machine.statistics:
            values[a] = 0
        control: list[Hashable] = []
        for t in range(len(machine.bodies)):
            kind = machine.kinds[t]
            control.append((kind, machine.addrs[t], machine.flags[t], machine.stale[t]))
            if kind != ops.ENDED:
                running = machine.vehicle.frame(t) or sys._getframe()  # noqa: SLF001  the running one's only handle
                for frame in program_frames(running):
                    control.append((frame.f_code, frame.f_lasti))
                    values.extend(v for v in frame.f_locals.values() if isinstance(v, int))
        return tuple(control), tuple(values)


def program_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """`frame` and its callers, but for this package's own, out to the thread's body."""
    while frame is not None:
        package = frame.f_globals.get("__package__") or ""
        if not package.startswith("collector.explore"):
            yield frame
        elif frame.f_code.co_name == "life":
            return
        frame = frame.f_back


class Fair:
    """The end of a schedule that has grown too long: threads in turn, watched for a lasso."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.lassos: Lassos | None = None
        self.releases = 0
        self.lasso: Lasso | None = None
        self.turn = MAIN

    def begin(self) -> None:
        """A new schedule."""
        self.lassos = self.lasso = None
        self.releases = 0
        self.turn = MAIN

    def pick(self, _i: int) -> int:
        """The next runnable thread in turn."""
        machine = self.machine
        last = self.turn
        self.turn = next((t for t in machine.runnable if t > last), machine.runnable[0])
        if self.turn <= last and self.look():
            return MAIN
        return self.turn

    def released(self) -> bool:
        """Nobody can run; True if it was like this before.  The first times go unlooked at: looking is slow."""
        self.releases += 1
        return self.releases > 2 and self.look()

    def look(self) -> bool:
        """Look at the state; True if it makes a lasso."""
        if self.lassos is None:
            self.lassos = Lassos(self.machine)
        self.lasso = self.lassos.visit()
        return self.lasso is not None
