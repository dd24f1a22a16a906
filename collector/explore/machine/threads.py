"""The scheduler's table of threads: the next step of each, and which of them are runnable.

Theory of operation.  A thread announces its next step in `kinds` and `addrs`.  It is *runnable* unless that step waits:
`lock` for the mutex, `sleep` for the note.

A `pause` is no step.  It is a guard on the thread's next step: that step waits until another thread has overwritten
something that this thread has read since its last pause.  `seen[t]` is what t has read, `stale[t]` whether others have
overwritten any of it since.  (A second pause with no step in between is a step, so that a loop of nothing but pauses lets
others run.)  When no thread can run, all that wait in a pause are released together, so that no order of them is preferred.
Where pauses may end `early`, each is a choice to wait for nothing; that is over when a thread has so often chosen it.

Guards.  A thread is in `runnable` (in order of number) exactly when it has announced a step and `ready` holds for it: a
step that changes the word of a lock or a note, whatever kind of step it is, or something that a pausing thread has seen,
re-evaluates those whom that concerns.  A plain write does not.
"""

from __future__ import annotations

from bisect import insort
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collector.explore.machine import ops


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


FRESH = 1
"""Flag: the thread has not come to its first step."""
PAUSED = 2
"""Flag: its next step comes after a pause."""
TIMED = 4
"""Flag: its sleep has a time limit."""
EXPIRED = 8
"""Flag: that limit is over."""
MANY = 8
"""Threads that are gone through quicker by an iterator than one by one."""


def can(kind: int, word: int) -> bool:
    """May a step of that kind, one of `ops.WAITING`, be taken where its cell holds `word`?"""
    return (word == 0) == (kind == ops.LOCK)


class Threads:
    """The threads of a schedule.  Lists are indexed by thread and stay the same objects for the machine's life."""

    def __init__(self, mem: Sequence[int]) -> None:
        self.mem = mem
        """The flat memory: who holds a lock, which note is woken."""
        self.runnable: list[int] = []
        self.kinds: list[int] = []
        """What kind of step each thread takes next (`collector.explore.machine.ops`)."""
        self.addrs: list[int] = []
        """On which cell; for a KILL, which thread."""
        self.expects: list[int] = []
        """The operand: what `ops.DEPENDING` have to find, `ops.STORING` leave, xadd adds, or8 sets; of how many `choose`."""
        self.flags: list[int] = []
        self.stale: list[bool] = []
        self.seen: list[set[int]] = []
        self.rivals: list[list[tuple[int, set[int]]]] = []
        """Per thread, every other one with what it has seen."""
        self.their_reads: list[list[set[int]]] = []
        """The latter alone."""
        self.few: list[list[tuple[int, set[int]]]] = []
        """The rivals if they are fewer than `MANY`, else empty."""
        self.live = 0
        """Threads that have not ended."""
        self.early = 0
        """Pauses of each thread that may end early."""
        self.ended_early: list[int] = []
        """How many have."""
        self.lasted = False
        """A pause may have ended early once more, in any schedule."""
        self.limited = False
        """Some sleep with a limit had to wait."""
        self.awaited: dict[int, int] = {}
        """Locks and notes that somebody has come to, and how long the trail was when a step changed each last."""

    def begin(self) -> None:
        """A new schedule: no threads, nothing seen."""
        self.runnable.clear()
        self.awaited.clear()
        self.live = 0
        for seen in self.seen:
            seen.clear()
        n = len(self.kinds)
        self.kinds[:] = [ops.ENDED] * n
        self.flags[:] = self.expects[:] = self.ended_early[:] = [0] * n
        self.stale[:] = [False] * n

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What the threads have announced stays as it is, whatever they announce meanwhile."""
        lists = self.kinds, self.addrs, self.expects, self.flags
        were = [each[:] for each in lists]
        try:
            yield
        finally:
            for each, was in zip(lists, were, strict=True):
                each[:] = was

    def add(self) -> int:
        """Room for one more thread; returns its number."""
        t, seen = len(self.kinds), set[int]()
        for rivals, their_reads, few in zip(self.rivals, self.their_reads, self.few, strict=True):
            rivals.append((t, seen))
            their_reads.append(seen)
            few[:] = rivals[: len(rivals) if len(rivals) < MANY else 0]
        self.rivals.append(list(enumerate(self.seen)))
        self.their_reads.append(self.seen[:])
        self.few.append(self.rivals[t][: t if t < MANY else 0])
        self.kinds.append(ops.ENDED)
        self.addrs.append(0)
        self.expects.append(0)
        self.flags.append(0)
        self.stale.append(False)
        self.ended_early.append(0)
        self.seen.append(seen)
        return t

    def ready(self, t: int) -> bool:
        """May thread `t` take the step that it has announced?"""
        kind = self.kinds[t]
        if self.flags[t] & PAUSED and not self.stale[t]:
            return False
        if kind in ops.WAITING:
            return can(kind, self.mem[self.addrs[t]]) or self.flags[t] & EXPIRED != 0
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

    def go(self, t: int) -> None:
        """Thread `t`, which has paused, goes."""
        self.flags[t] ^= PAUSED
        self.stale[t] = False
        self.seen[t].clear()

    def pause(self, t: int) -> None:
        """The step that thread `t` has announced waits for another one's write."""
        self.flags[t] |= PAUSED
        self.refresh(t)

    def release(self) -> bool:
        """No thread can run: release all that pause, and let timed sleeps time out; False if there is neither."""
        waiting = [t for t, flags in enumerate(self.flags) if flags & (PAUSED | TIMED) and self.kinds[t] != ops.ENDED]
        for t in waiting:
            if self.flags[t] & PAUSED:
                self.stale[t] = True
            if self.flags[t] & TIMED:
                self.flags[t] |= EXPIRED
            self.refresh(t)
        return bool(self.runnable)

    def end(self, t: int) -> None:
        """Thread `t` takes no further step."""
        self.kinds[t] = ops.ENDED
        self.flags[t] = 0
        if t in self.runnable:
            self.runnable.remove(t)
        self.live -= 1

    def ended(self, t: int) -> bool:
        """Has thread `t` run to its end, or been killed?"""
        return self.kinds[t] == ops.ENDED
