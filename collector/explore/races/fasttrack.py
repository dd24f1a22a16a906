"""The FastTrack data race detector: a race is two unordered accesses to a cell, one of them a write, one of them plain.

Theory of operation.  (Flanagan and Freund, FastTrack, 2009.)  Per cell the epoch of the last plain write, and that of the
last plain read or, where reads are not ordered among themselves, one time per thread that has read since.  The first race
on a cell is always seen; behind it, what is kept may be that of another.  Most accesses come again in the same epoch and
end at one comparison.

Atomics race with plain accesses and never with each other, so their times are kept per thread and cell, the stores' under
the complement of the thread's number.  `hint` and `post` are not watched: they are made to race, and order nothing.

While a schedule is explored no source locations are noted.  If it has a race, the same schedule is run again with the
slower detector of `collector.explore.races.report`, which keeps both stacks.

Relied on.  A race that is there in one schedule is there in all that differ only in the order of independent steps: so a
search that sees each such class once (DPOR) sees every race, although plain accesses are no steps.

Guards.  A schedule that is passed without a race behaves as if its plain accesses were steps, too.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import repeat
from typing import TYPE_CHECKING

from collector.explore.machine.fault import Fault
from collector.explore.machine.operations import no_word, outside
from collector.explore.machine.site import innermost
from collector.explore.races.clocks import MANY, NEVER, Clock, Epoch, Order
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collector.explore.machine.ports import SteppedPort

SHARED: Epoch = (MANY, 0)
"""In `reads`: look in `shared`."""


class Tracked(Clock):
    """One thread's plain accesses, checked."""

    __slots__ = ("atomics", "execution", "reads", "shared", "track", "writes")

    def __init__(self, track: FastTrack, port: SteppedPort) -> None:
        super().__init__(port.index, port.words, track.released)
        self.track = track
        self.execution = port.execution
        self.reads = track.reads
        self.writes = track.writes
        self.shared = track.shared
        self.atomics = track.atomics

    def __getitem__(self, a: int) -> int:
        try:
            v = self.words[a]
            if a < 1:
                outside(a)
        except IndexError:
            outside(a)
        except TypeError:
            no_word(self.execution, "words", a)
        epoch, last = self.epoch, self.reads[a]
        if last is not epoch:
            if self.execution.current != self.thread:
                self.execution.foreign(self.thread)
            known = self.known
            time, u = self.writes[a]
            if time > known[u]:
                self.track.race(self.thread, a, u)
            if a in self.atomics:
                self.read_among_atomics(a)
            if last[0] <= known[last[1]]:
                self.reads[a] = epoch
            elif last is SHARED:
                self.shared[a][self.thread] = epoch[0]
            else:
                self.shared[a] = {last[1]: last[0], self.thread: epoch[0]}
                self.reads[a] = SHARED
        return v

    def __setitem__(self, a: int, v: int) -> None:
        try:
            if a < 1:
                outside(a)
            if v >> 64:
                v &= MASK64
            self.words[a] = v
        except IndexError:
            outside(a)
        except TypeError:
            no_word(self.execution, "words", a, v)
        if self.writes[a] is not self.epoch:
            if self.execution.current != self.thread:
                self.execution.foreign(self.thread)
            self.written(a)
            if a in self.atomics:
                self.written_among_atomics(a)
            self.writes[a] = self.epoch
            # All of them come before this write: whoever comes after it comes after them.
            self.reads[a] = NEVER

    def read_among_atomics(self, a: int) -> None:
        """A plain read of a cell that is accessed atomically, too, checked against the atomic stores."""
        for k, time in self.atomics[a].items():
            if k < 0 and time > self.known[~k]:
                self.track.race(self.thread, a, ~k)

    def written_among_atomics(self, a: int) -> None:
        """A plain write of such a cell, checked against all atomics."""
        for k, time in self.atomics[a].items():
            u = k if k >= 0 else ~k
            if time > self.known[u]:
                self.track.race(self.thread, a, u)

    def written(self, a: int) -> None:
        """A write, checked against the plain accesses."""
        known = self.known
        time, u = self.writes[a]
        if time > known[u]:
            self.track.race(self.thread, a, u)
        time, u = self.reads[a]
        if time == MANY:
            for u, time in self.shared[a].items():
                if time > known[u]:
                    self.track.race(self.thread, a, u)
        elif time > known[u]:
            self.track.race(self.thread, a, u)

    def loaded(self, a: int) -> None:
        time, u = self.writes[a]
        if time > self.known[u]:
            self.track.race(self.thread, a, u)
        try:
            self.atomics[a][self.thread] = self.epoch[0]
        except KeyError:
            self.atomics[a] = {self.thread: self.epoch[0]}

    def stored(self, a: int) -> None:
        if self.writes[a] is not NEVER or self.reads[a] is not NEVER:
            self.written(a)
        try:
            self.atomics[a][~self.thread] = self.epoch[0]
        except KeyError:
            self.atomics[a] = {~self.thread: self.epoch[0]}


class FastTrack(Order):
    """Watches a machine's schedules.  A race is the schedule's fault and ends it, unless it is only to be reported."""

    def __init__(self, *, fatal: bool = True) -> None:
        super().__init__()
        self.fatal = fatal
        self.raced = False
        """There was a race in this schedule."""
        self.reads: dict[int, Epoch] = defaultdict(repeat(NEVER).__next__)
        self.writes: dict[int, Epoch] = defaultdict(repeat(NEVER).__next__)
        self.shared: dict[int, dict[int, int]] = {}
        self.atomics: dict[int, dict[int, int]] = {}

    def clock(self, port: SteppedPort) -> Clock:
        return Tracked(self, port)

    def begin(self) -> None:
        super().begin()
        self.raced = False
        self.reads.clear()
        self.writes.clear()
        self.shared.clear()
        self.atomics.clear()

    def race(self, thread: int, a: int, other: int) -> None:
        """What `thread` has just done at cell `a` is unordered with something that `other` did."""
        self.raced = True
        if self.fatal:
            names = self.machine.names
            what = f"{names[thread]} and {names[other]} race at {self.machine.name(a)}"
            self.machine.fail(Fault("race", what, innermost(), thread))
