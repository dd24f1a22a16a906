"""What a thread knows: its local state, so that a state of the whole machine can be recognised when it comes again.

Theory of operation.  A thread is deterministic: what it will do follows from where it stands and what it keeps.  When it
comes to a step it is in the middle of a call in each of its frames.  If none of them keeps anything on its evaluation
stack (`state.temporaries`), what it keeps are the frames' local variables, the attributes of their `self`, and
the arguments of the operation itself.  Else it is what it kept when that was last so, and what its operations have returned
since (Godefroid, 1997, used that for whole executions).  Either way it is numbered, equal knowledge with equal numbers, and
`histories` has one number per thread.

A number in a variable that has grown by the same amount at each of the last SATURATED pauses, and goes on growing, counts
as `more`: else every turn of a waiting loop would be a new state.

Relied on.  What `collector.explore.state.frames` says of values.  What a program
keeps elsewhere and later goes by is told by `SteppedMachine.state`; attributes that decide nothing are named in
`SteppedMachine.uncounted`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from collector.explore.machine.site import program_frames
from collector.explore.state.frames import Hidden, frozen, named
from collector.explore.state.temporaries import has_temporaries
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from types import FrameType

    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.ports import SteppedPort
    from workbuf.machine import Pause, Words

    Variable = tuple[int, str]
    """A frame's depth, counted from the thread's body, and a name."""


SATURATED = 32
"""Pauses in a row at which a number has to grow by the same amount to count as `more`."""
TELLING = ("hint", "load", "cas", "xchg", "xadd", "or8", "store", "post", "lock", "unlock", "wake", "choose")
"""Operations whose results, if any, become part of what a thread knows."""
TELLING_METHODS = ("sleep", "spawn", "sysalloc", "now")


class Count(NamedTuple):
    """A number at the last pause."""

    value: int
    change: int
    """Since the pause before."""
    run: int
    """Pauses in a row with that change."""


Snapshot = tuple[list[int], list[dict["Variable", Count]]]


class LocalState:
    """What each thread of one machine knows."""

    def __init__(self) -> None:
        self.machine: SteppedMachine
        self.histories: list[int] = []
        self.numbers: dict[Hashable, int] = {}
        """Of all that any thread has ever known."""
        self.counts: list[dict[Variable, Count]] = []
        """Per thread, its numbers at the last pause.  Replaced, never changed."""
        self.saturated = False
        """Some number was taken for `more`."""
        self.live = True
        """False while a path already known is run again: then nobody asks for local states."""

    def begin(self) -> None:
        """A new schedule: nobody knows anything."""
        self.histories[:] = [0] * len(self.histories)
        self.counts[:] = [{}] * len(self.histories)

    def snapshot(self) -> Snapshot:
        """What there is to restore."""
        return self.histories[:], self.counts[:]

    def restore(self, snapshot: Snapshot) -> None:
        """Know again what was known at that time; threads that were not there then know nothing."""
        histories, counts = snapshot
        self.histories[: len(histories)] = histories
        self.counts[: len(counts)] = counts
        self.live = True

    def fit(self, machine: SteppedMachine, port: SteppedPort) -> None:
        """Have `port` tell what its thread does."""
        if not self.histories:
            self.machine = machine
            machine.starts.append(self.begin)
        self.histories.append(0)
        self.counts.append({})
        i = port.index
        port.words = Known(port.words, self, i)
        for name in TELLING + TELLING_METHODS:
            setattr(port, name, self._telling(getattr(port, name), i))
        hint, pause = port.hint, port.pause
        port.hints = lambda a, n: [hint(cell) for cell in range(a, a + n)]

        def pause_(kind: Pause, n: int) -> None:
            if self.live:
                self.arrive(i)
                self._count(i)
            pause(kind, n)

        port.pause = pause_

    def _telling(self, operation: Callable[..., object], i: int) -> Callable[..., object]:
        """`operation` of thread `i`, which arrives at a step, and then knows what that returned."""

        def told(*arguments: object) -> object:
            if self.live:
                self.arrive(i, arguments)
            try:
                v = operation(*arguments)
            except Throw as throw:
                # Whoever catches it goes on knowing that.
                if self.live:
                    self.learn(i, throw.text)
                raise
            if self.live:
                self.learn(i, v)
            return v

        return told

    def learn(self, i: int, v: Hashable) -> None:
        """Thread `i` knows `v` beside what it knew."""
        known = (self.histories[i], v)
        self.histories[i] = self.numbers.setdefault(known, len(self.numbers) + 1)

    def arrive(self, i: int, arguments: tuple[object, ...] = ()) -> None:
        """Thread `i` is about to announce a step: if it keeps everything in variables, these are what it knows."""
        frames = list(program_frames(sys._getframe(1)))  # noqa: SLF001  the running thread's only handle
        if any(has_temporaries(frame) for frame in frames):
            return
        counts = self.counts[i]
        try:
            kept: list[Hashable] = [frozen(argument) for argument in arguments]
            for k, frame in enumerate(frames):
                kept += (frame.f_code, frame.f_lasti, *self._variables(frame, len(frames) - k, counts))
        except Hidden:
            return
        self.histories[i] = self.numbers.setdefault(tuple(kept), len(self.numbers) + 1)

    def _variables(self, frame: FrameType, depth: int, counts: dict[Variable, Count]) -> Iterator[Hashable]:
        for name, v in named(frame, self.machine.uncounted):
            count = counts.get((depth, name))
            if count and count.run >= SATURATED and v in {count.value, count.value + count.change}:
                self.saturated = True
                yield name, "more"
            else:
                yield name, frozen(v)

    def _count(self, i: int) -> None:
        """Thread `i` pauses: see which of its numbers go on growing."""
        before = self.counts[i]
        now: dict[Variable, Count] = {}
        frames = list(program_frames(sys._getframe(2)))  # noqa: SLF001
        for k, frame in enumerate(frames):
            for name, v in named(frame, self.machine.uncounted):
                if type(v) is int:
                    variable = (len(frames) - k, name)
                    last = before.get(variable, Count(v, 0, 0))
                    change = v - last.value
                    now[variable] = Count(v, change, last.run + 1 if change and change == last.change else 0)
        self.counts[i] = now


class Known:
    """`port.words` that tells what is read, and where it is written: with plain points these are steps.

    What is in statistics it does not tell.
    """

    def __init__(self, words: Words, knowledge: LocalState, i: int) -> None:
        self.words = words
        self.local = knowledge
        self.index = i

    def __getitem__(self, a: int) -> int:
        v = self.words[a]
        if self.local.live:
            self.local.learn(self.index, 0 if a in self.local.machine.statistics else v)
        return v

    def __setitem__(self, a: int, v: int) -> None:
        self.words[a] = v
        if self.local.live:
            self.local.learn(self.index, a)
