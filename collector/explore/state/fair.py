"""What becomes of a schedule that does not end: it is run on in turn, and a state that comes again proves a livelock.

Theory of operation.  After `limit` steps the strategy has had its say; from then on the runnable threads take one step
each in turn, so that whatever waits for another thread to get on gets its wish.  At the end of every round the state is
looked at; so it is each time nobody could run and those who pause were let go together.  A *state* is the memory and, for
each thread, its next step, where its Python code stands (the chain of frames: code and instruction) and what it keeps there
(`state.frames`).  If a state comes again, the schedule can be repeated from there for ever, and every thread
that could run has run in between: a livelock, with the steps between the two visits as its lasso (Musuvathi and Qadeer,
Fair stateless model checking, 2008, ask for the same of a fair cycle).

Words that only count would make every state a new one.  Those allocated as statistics are left out.  Any other integer
that grows by the same amount from visit to visit, SATURATED times in a row, counts as a loop counter that has stopped to
matter; so does what cannot be looked at, a `for` loop's iterator, say, in a frame that has run in between.  That makes the
verdict a strong suspicion instead of a proof, and the message says so.

Not modelled.  Attributes of objects other than a `self`: two states that differ only there look the same.  If nothing
repeats, the schedule ends after another `limit` steps as `endless`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine import ops
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.site import program_frames
from collector.explore.state.frames import Hidden, frozen, named
from collector.explore.state.temporaries import has_temporaries


if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import FrameType

    from collector.explore.machine.machine import SteppedMachine


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
    frames: dict[int, list[FrameType]]
    """Per thread, the innermost first."""
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
        frames = self._frames()
        control, values = self._state(frames)
        at = len(self.machine.trail)
        last = self.visits.get(control)
        if last is None or len(last.values) != len(values):
            self.visits[control] = Visit(at, values, (), frames, 0, at)
            return None
        change = tuple(new - old for new, old in zip(values, last.values, strict=True))
        if change == last.change:
            visit = Visit(at, values, change, frames, last.repeats + 1, last.since)
        else:
            visit = Visit(at, values, change, frames, 1, last.at)
        self.visits[control] = visit
        if not any(change) and not any(map(may_have_moved, last.frames.values(), frames.values())):
            return Lasso(last.at, at, visit.since, counting=False)
        return Lasso(last.at, at, visit.since, counting=True) if visit.repeats >= SATURATED else None

    def _frames(self) -> dict[int, list[FrameType]]:
        """Of the threads that have not ended."""
        machine = self.machine
        # The running thread's frames have no other handle than this.
        return {
            t: list(program_frames(machine.frame(t) or sys._getframe()))  # noqa: SLF001
            for t in range(len(machine.names))
            if machine.kinds[t] != ops.ENDED
        }

    def _state(self, frames: dict[int, list[FrameType]]) -> tuple[Hashable, tuple[int, ...]]:
        """What has to be the same, and what may count."""
        machine = self.machine
        values = machine.mem[:]
        for a in machine.statistics:
            values[a] = 0
        control: list[Hashable] = []
        for t, chain in frames.items():
            control.append((t, machine.kinds[t], machine.addrs[t], machine.flags[t], machine.stale[t]))
            for frame in chain:
                control.append((frame.f_code, frame.f_lasti))
                for _, v in named(frame, machine.uncounted):
                    if isinstance(v, int):
                        values.append(v)
                    else:
                        control.append(shown(v))
        return tuple(control), tuple(values)


def shown(v: object) -> Hashable:
    """What tells `v` from others, as far as anything does."""
    try:
        return frozen(v)
    except Hidden:
        return None


def may_have_moved(before: list[FrameType], now: list[FrameType]) -> bool:
    """May anything that cannot be looked at have changed in one of the frames `now`, which stand where those `before` did?

    Not in a frame that was in the same call all the time.
    """
    return any(hides(frame) and (k == 0 or before[k - 1] is not now[k - 1]) for k, frame in enumerate(now))


def hides(frame: FrameType) -> bool:
    """Does `frame` keep something that cannot be looked at?"""
    if has_temporaries(frame):
        return True
    try:
        for _, v in named(frame, set()):
            frozen(v)
    except Hidden:
        return True
    return False


class Fair:
    """The end of a schedule that has grown too long: threads in turn, watched for a lasso."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.lassos: Lassos | None = None
        self.lasso: Lasso | None = None
        self.turn = MAIN

    def begin(self) -> None:
        """A new schedule."""
        self.lassos = self.lasso = None
        self.turn = MAIN

    def pick(self, _i: int) -> int:
        """The next runnable thread in turn."""
        machine = self.machine
        last = self.turn
        self.turn = next((t for t in machine.runnable if t > last), machine.runnable[0])
        if self.turn <= last and self.look():
            return MAIN
        return self.turn

    def stuck(self) -> bool:
        """Nobody can run; True if it was like this before.  The first times go unlooked at: looking is slow."""
        return self.machine.releases > 2 and self.look()

    def look(self) -> bool:
        """Look at the state; True if it makes a lasso."""
        if self.lassos is None:
            self.lassos = Lassos(self.machine)
        self.lasso = self.lassos.visit()
        return self.lasso is not None
