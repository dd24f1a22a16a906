"""Vector clocks: the happens-before order of a schedule, kept by each thread's port.

Theory of operation.  A thread's *time* is a count that goes up whenever it releases; its *epoch* is that time with its
number.  `known[u]` is how far thread u's past is ordered before this thread's present (Fidge, Mattern, 1988): what u did
at an epoch (c, u) has happened before all that this thread does now if c <= known[u].  Releasing leaves a copy of what the
thread knows at a cell; acquiring takes over what was left there.  Who knows u's time c knows all that u knew when it
released at c, so one comparison says whether there is anything to take over.

What an operation acquires and releases is in its row (`machine.ops.TABLE`).  A store, an unlock and a wake-up replace
what others have left at their cell.  An `or8` leaves its own beside that: who sees its bits may see theirs.

The set-up happens before every thread's first step, and all steps happen before the check at the end.

`Order` is the tap that keeps the clocks.  Its subclasses are the race detectors: FastTrack
(`collector.explore.races.fasttrack`) and the one that keeps both stacks (`collector.explore.races.report`).

Not modelled.  An `or8` is ordered as its whole word; `sysalloc` orders nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.machine import ops
from collector.explore.machine.taps import Tap
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ops import Op
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.machine.taps import After
    from workbuf.machine import Words

Epoch = tuple[int, int]
"""A thread's time, and its number."""
Release = tuple[int, int, tuple[int, ...]]
"""An epoch at which a thread has released, and what it knew."""

NEVER: Epoch = (0, 0)
"""Before all threads."""
MANY = 1 << 62
"""As a time: later than any, so never known."""


class Clock:
    """What one thread knows; also its `port.words`."""

    __slots__ = ("behind", "epoch", "known", "released", "thread", "words")

    def __init__(self, thread: int, words: Words, released: dict[int, Release]) -> None:
        self.thread = thread
        self.words = words
        self.released = released
        self.known: list[int] = []
        self.epoch = NEVER
        self.behind = self._ordering(self.loaded), self._ordering(self.stored)
        """What comes behind an operation that does not write, or does; each by its order."""

    def begin(self, threads: int) -> None:
        """Of `threads` threads it knows nothing but itself."""
        self.known[:] = [0] * threads
        self.known[self.thread] = 1
        self.epoch = (1, self.thread)

    def copy(self) -> Release:
        """What the thread knows; what it does from now on is not in it."""
        known, t = self.known, self.thread
        time = known[t]
        copy = (time, t, tuple(known))
        known[t] = time + 1
        self.epoch = (time + 1, t)
        return copy

    def join(self, clock: tuple[int, ...]) -> None:
        """Know what is in `clock`, too."""
        known = self.known
        for k, c in enumerate(clock):
            if c > known[k]:  # noqa: PLR1730  max() is a call, and this is the hot path
                known[k] = c

    def contribute(self, a: int) -> None:
        """Leave what the thread knows beside what is there."""
        _, t, clock = self.copy()
        others = self.released[a][2] if a in self.released else ()
        # Nobody knows all of it by knowing this thread's time.
        self.released[a] = (MANY, t, (*map(max, clock, others), *clock[len(others) :]))

    def after(self, op: Op) -> After:
        """What the clock has to do when the thread has done `op`, an atomic."""
        loaded, stored = self.behind
        if op.code == ops.OR8:
            return self._adding(op, stored[op.order & ops.ACQUIRE])
        done = stored[op.order] if op.writes else loaded[op.order]
        if op.failure is None:
            return done
        exchange = op.writes == ops.IF_NEW
        failed = stored[op.failure] if exchange else loaded[op.failure]

        def tried(result: int, a: int, v: int, _new: int = 0) -> None:
            if result != v & MASK64 if exchange else result:
                done(result, a)
            else:
                failed(result, a)

        return tried

    def _adding(self, op: Op, stored: After) -> After:
        """Behind an or8, which leaves what the thread knows beside what others have left."""

        def added(result: object, byte: int, _bits: int) -> None:
            stored(result, byte >> 3)
            if op.order & ops.RELEASE:
                self.contribute(byte >> 3)

        return added

    def _ordering(self, touched: Callable[[int], None]) -> tuple[After, After, After, After]:
        """What comes behind an operation, by its order.  Four times much the same: this is the hot path."""
        released, known, join, copy = self.released, self.known, self.join, self.copy

        def relaxed(_result: object, a: int, _operand: int = 0) -> None:
            touched(a)

        def acquire(_result: object, a: int, _operand: int = 0) -> None:
            if a in released:
                time, u, clock = released[a]
                if time > known[u]:
                    join(clock)
            touched(a)

        def release(_result: object, a: int, _operand: int = 0) -> None:
            touched(a)
            released[a] = copy()

        def acq_rel(_result: object, a: int, _operand: int = 0) -> None:
            if a in released:
                time, u, clock = released[a]
                if time > known[u]:
                    join(clock)
            touched(a)
            released[a] = copy()

        return relaxed, acquire, release, acq_rel

    def __getitem__(self, a: int) -> int:
        raise NotImplementedError

    def __setitem__(self, a: int, v: int) -> None:
        raise NotImplementedError

    def loaded(self, a: int) -> None:
        """The thread has just read cell `a` atomically."""
        raise NotImplementedError

    def stored(self, a: int) -> None:
        """The thread has just written cell `a` atomically."""
        raise NotImplementedError


class Order(Tap):
    """Keeps the clocks of one machine's threads, schedule after schedule."""

    machine: SteppedMachine

    def __init__(self) -> None:
        self.clocks: list[Clock] = []
        self.released: dict[int, Release] = {}
        self.parents: dict[int, int] = {}
        """Who has spawned a thread that was not there from the beginning."""

    def clock(self, port: SteppedPort) -> Clock:
        """A clock for the thread of `port`, whose words it stands for."""
        raise NotImplementedError

    def begin(self) -> None:
        self.released.clear()
        self.parents.clear()
        for clock in self.clocks:
            clock.begin(len(self.clocks))

    def fit(self, port: SteppedPort) -> None:
        for clock in self.clocks:
            clock.known.append(0)
        mine = port.words = self.clock(port)
        self.clocks.append(mine)
        mine.begin(len(self.clocks))

    def after(self, port: SteppedPort) -> dict[int, After]:
        mine = self.clocks[port.index]
        return {op.code: mine.after(op) for op in ops.TABLE if op.access == ops.ATOMIC}

    def spawned(self, parent: int, child: int) -> None:
        self.parents[child] = parent
        if ops.TABLE[ops.SPAWN].order & ops.RELEASE:
            self.clocks[child].join(self.clocks[parent].copy()[2])
