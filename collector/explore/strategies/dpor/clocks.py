"""Vector clocks: the happens-before order of a schedule, kept by each thread's port.

Theory of operation.  A thread's *time* is a count that goes up whenever it releases; its *epoch* is that time with its
number.  `known[u]` is how far thread u's past is ordered before this thread's present (Fidge, Mattern, 1988): what u did
at an epoch (c, u) has happened before all that this thread does now if c <= known[u].  Releasing leaves a copy of what the
thread knows at a cell; acquiring takes over what was left there.  Who knows u's time c knows all that u knew when it
released at c, so one comparison says whether there is anything to take over.

The operations of a port order as in Go's memory model and its race detector:

    store, unlock, wake           release: a store replaces what others have left at the cell
    load, a failed cas, sleep     acquire, if there was something to wake from
    cas, xchg, xadd               acquire, then release, but for an exchange that leaves what was there: the order of two
                                  such is chance, and in the other one the second could not know what the first does
    or8                           releases beside what others have left; it tells nothing, so it acquires nothing
    lock                          acquire
    spawn                         the child knows what its parent knew
    hint, hints, post, pause      order nothing

The set-up happens before every thread's first step, and all steps happen before the check at the end.

`Order` changes ports so that they keep the clocks.  Its subclasses are the race detectors: FastTrack
(`collector.explore.races.fasttrack`) and the one that keeps both stacks (`collector.explore.races.report`).

Not modelled.  An `or8` is ordered as its whole word; `sysalloc` orders nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort
    from workbuf.machine import Port, Words

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

    __slots__ = ("epoch", "known", "released", "thread", "words")

    def __init__(self, thread: int, words: Words, released: dict[int, Release]) -> None:
        self.thread = thread
        self.words = words
        self.released = released
        self.known: list[int] = []
        self.epoch = NEVER

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

    def join(self, copy: Release) -> None:
        """Know what is in `copy`, too."""
        time, u, clock = copy
        known = self.known
        if time > known[u]:
            for k, c in enumerate(clock):
                if c > known[k]:  # noqa: PLR1730  max() is a call, and this is the hot path
                    known[k] = c

    def release(self, a: int) -> None:
        """Leave what the thread knows at cell `a`."""
        self.released[a] = self.copy()

    def contribute(self, a: int) -> None:
        """Leave it beside what is there."""
        _, t, clock = self.copy()
        others = self.released[a][2] if a in self.released else ()
        # Nobody knows all of it by knowing this thread's time.
        self.released[a] = (MANY, t, (*map(max, clock, others), *clock[len(others) :]))

    def acquire(self, a: int) -> None:
        """Take over what was left at cell `a`."""
        if a in self.released:
            self.join(self.released[a])

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


class Order:
    """Keeps the clocks of one machine's threads, schedule after schedule."""

    def __init__(self) -> None:
        self.machine: SteppedMachine
        self.clocks: list[Clock] = []
        self.released: dict[int, Release] = {}
        self.parents: dict[int, int] = {}
        """Who has spawned a thread that was not there from the beginning."""

    def clock(self, port: SteppedPort) -> Clock:
        """A clock for the thread of `port`, whose words it stands for."""
        raise NotImplementedError

    def begin(self) -> None:
        """A new schedule: nothing has been released."""
        self.released.clear()
        self.parents.clear()
        for clock in self.clocks:
            clock.begin(len(self.clocks))

    def fit(self, machine: SteppedMachine, port: SteppedPort) -> None:
        """Make `port` keep its thread's clock."""
        if not self.clocks:
            self.machine = machine
            machine.starts.append(self.begin)
        for clock in self.clocks:
            clock.known.append(0)
        mine = self.clock(port)
        self.clocks.append(mine)
        mine.begin(len(self.clocks))
        port.words = mine
        _order_atomics(port, mine)
        _order_waits(port, mine)
        port.spawn = self._spawning(port, mine)

    def _spawning(self, port: SteppedPort, mine: Clock) -> Callable[..., None]:
        spawn = port.spawn

        def spawn_(body: Callable[[Port], object], name: str = "") -> None:
            copy = mine.copy()

            def begun(child: Port) -> None:
                self.parents[child.index] = mine.thread
                self.clocks[child.index].join(copy)
                body(child)

            spawn(begun, name)

        return spawn_


def _order_atomics(port: SteppedPort, mine: Clock) -> None:
    """Make the atomics of `port` release and acquire."""
    load, store, cas, xchg, xadd, or8 = port.load, port.store, port.cas, port.xchg, port.xadd, port.or8
    acquire, release, contribute, loaded, stored = (
        mine.acquire, mine.release, mine.contribute, mine.loaded, mine.stored,
    )  # fmt: skip

    def load_(a: int) -> int:
        v = load(a)
        acquire(a)
        loaded(a)
        return v

    def store_(a: int, v: int) -> None:
        store(a, v)
        stored(a)
        release(a)

    def cas_(a: int, old: int, new: int) -> bool:
        done = cas(a, old, new)
        acquire(a)
        if done:
            stored(a)
            release(a)
        else:
            loaded(a)
        return done

    def xchg_(a: int, v: int) -> int:
        old = xchg(a, v)
        acquire(a)
        stored(a)
        if old != v:
            release(a)
        return old

    def xadd_(a: int, delta: int) -> int:
        new = xadd(a, delta)
        acquire(a)
        stored(a)
        release(a)
        return new

    def or8_(byte: int, mask: int) -> None:
        or8(byte, mask)
        stored(byte >> 3)
        contribute(byte >> 3)

    port.load, port.store, port.cas, port.xchg, port.xadd, port.or8 = load_, store_, cas_, xchg_, xadd_, or8_


def _order_waits(port: SteppedPort, mine: Clock) -> None:
    """Make the lock and the notes of `port` release and acquire."""
    lock, unlock, wake, sleep = port.lock, port.unlock, port.wake, port.sleep

    def lock_(a: int) -> None:
        lock(a)
        mine.acquire(a)
        mine.stored(a)

    def unlock_(a: int) -> None:
        unlock(a)
        mine.stored(a)
        mine.release(a)

    def wake_(note: int) -> None:
        wake(note)
        mine.stored(note)
        mine.release(note)

    def sleep_(note: int, ns: int = -1) -> bool:
        woken = sleep(note, ns)
        if woken:
            mine.acquire(note)
        mine.loaded(note)
        return woken

    port.lock, port.unlock, port.wake = lock_, unlock_, wake_
    port.sleep = sleep_
