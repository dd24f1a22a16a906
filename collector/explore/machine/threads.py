"""Who may take a step, and how control changes hands: the rules that the machine's ports and loop go by.

Theory of operation.  A thread announces its next step in `kinds` and `addrs`; `pick` names who goes next, that one's
number goes on the `trail`, and only if it is another thread does control change hands (`step`).

A `pause` is no step.  It is a guard on the thread's next step: that one waits until another thread has written something
that this one has read since its pause before.  `seen[t]` is what t has read, `stale[t]` whether any of it has been
overwritten by others since.  (A second pause with no step in between is a step, so that a loop of nothing but pauses lets
others run.)  When nobody can run, all who wait in a pause are let go together, so that no order among them is preferred.

Guards.  A thread is in `runnable` (in order of number) exactly when it has announced a step and `ready` holds for it:
whoever changes a lock, a note or something that a pausing thread has seen re-evaluates those whom that concerns.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.carrier import ABORT, MAIN
from workbuf.machine import Aborted


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.carrier import Carrier


FRESH = 1
"""Flag: the thread has not come to its first step."""
PAUSED = 2
"""Flag: its next step comes after a pause."""
TIMED = 4
"""Flag: its sleep has a time limit."""
EXPIRED = 8
"""Flag: that limit is over."""

LIMIT = 20_000
"""Entries of a trail after which a schedule is not left to its strategy any more."""


class Rules:
    """The threads' scheduling state.  Lists are indexed by thread and stay the same objects for the machine's life."""

    def __init__(self, vehicle: Carrier) -> None:
        self.carrier = vehicle
        self.mem = [0]
        """The flat memory; cell 0 is never allocated."""
        self.trail: list[int] = []
        """The schedule so far: a thread's number for a step, `~1 - v` for a value v that `choose` returned."""
        self.runnable: list[int] = []
        self.kinds: list[int] = []
        """What kind of step each thread takes next (`collector.explore.machine.ops`)."""
        self.addrs: list[int] = []
        """On which cell; for a KILL, which thread."""
        self.expects: list[int] = []
        """The operand of what writes: what `ops.DEPENDING` have to find, `ops.STORING` leave, xadd adds and or8 sets."""
        self.flags: list[int] = []
        self.stale: list[bool] = []
        self.seen: list[set[int]] = []
        self.rivals: list[list[tuple[int, set[int]]]] = []
        """Per thread, every other one with what it has seen."""
        self.live = 0
        """Threads that have not ended."""
        self.starter = MAIN
        """Who gets control back when a beginning thread has come to its first step."""
        self.unwinding = False
        self.pick: Callable[[int], int] = self.give_up
        self.draw: Callable[[int, int], int]
        self.limit = LIMIT

    def rewind(self) -> None:
        """No threads, nothing seen, an empty trail."""
        self.trail.clear()
        self.runnable.clear()
        self.live = 0
        self.unwinding = False
        for t, seen in enumerate(self.seen):
            seen.clear()
            self.flags[t] = 0
            self.stale[t] = False
            self.kinds[t] = ops.ENDED

    def add_thread(self) -> int:
        """Room for one more thread; returns its number."""
        t = len(self.kinds)
        seen: set[int] = set()
        for others in self.rivals:
            others.append((t, seen))
        self.rivals.append(list(enumerate(self.seen)))
        self.kinds.append(ops.ENDED)
        self.addrs.append(0)
        self.expects.append(0)
        self.flags.append(0)
        self.stale.append(False)
        self.seen.append(seen)
        return t

    def ready(self, t: int) -> bool:
        """May thread `t` take the step that it has announced?"""
        kind = self.kinds[t]
        if self.flags[t] & PAUSED and not self.stale[t]:
            return False
        if kind == ops.LOCK:
            return self.mem[self.addrs[t]] == 0
        if kind == ops.SLEEP:
            return self.mem[self.addrs[t]] != 0 or self.flags[t] & EXPIRED != 0
        return kind != ops.ENDED

    def refresh(self, t: int) -> None:
        """Make `runnable` right about thread `t`."""
        if t in self.runnable:
            if not self.ready(t):
                self.runnable.remove(t)
        elif self.ready(t):
            insort(self.runnable, t)

    def moved(self, i: int, a: int) -> None:
        """Thread `i` has just changed the lock or the note at cell `a`."""
        kinds, addrs = self.kinds, self.addrs
        for t in range(len(kinds)):
            if t != i and addrs[t] == a and (kinds[t] == ops.LOCK or kinds[t] == ops.SLEEP):
                self.refresh(t)

    def arrive(self, i: int) -> None:
        """Thread `i` has come to a step that may have to wait, or that comes after a pause; returns when it is its turn."""
        if self.unwinding:
            raise Aborted
        if self.flags[i] & FRESH:
            self.flags[i] ^= FRESH
            self.refresh(i)
            if self.carrier.goto[self.starter](i) == ABORT:
                raise Aborted
        else:
            if not self.ready(i):
                self.runnable.remove(i)
            self.step(i)
        if self.flags[i] & PAUSED:
            self.flags[i] ^= PAUSED
            self.stale[i] = False
            self.seen[i].clear()

    def step(self, i: int) -> None:
        """Thread `i` has announced its step: somebody goes; returns when `i` does."""
        if len(self.trail) >= self.limit:
            self.overrun()
        t = self.pick(i) if self.runnable else MAIN
        if t != MAIN or self.runnable:
            self.trail.append(t)
        if t != i and self.carrier.goto[t](i) == ABORT:
            raise Aborted

    def release(self) -> bool:
        """Nobody can run: let go all who pause and time out the timed sleeps; False if there is neither."""
        waiting = [t for t, flags in enumerate(self.flags) if flags & (PAUSED | TIMED) and self.kinds[t] != ops.ENDED]
        for t in waiting:
            if self.flags[t] & PAUSED:
                self.stale[t] = True
            if self.flags[t] & TIMED:
                self.flags[t] |= EXPIRED
            self.refresh(t)
        return bool(self.runnable)

    def end(self, i: int) -> int:
        """Thread `i` takes no further step; returns who has control next."""
        if self.unwinding:
            return MAIN
        home = self.starter if self.flags[i] & FRESH else MAIN
        self.kinds[i] = ops.ENDED
        self.flags[i] = 0
        self.seen[i].clear()
        if i in self.runnable:
            self.runnable.remove(i)
        self.live -= 1
        return home

    def overrun(self) -> None:
        """The trail has grown to `limit` entries."""
        raise NotImplementedError

    def give_up(self, _i: int) -> int:
        """A pick for a schedule that is over."""
        raise Aborted
