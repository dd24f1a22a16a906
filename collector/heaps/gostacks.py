"""Finds the roots on the stacks in a Go heap dump.

The dumper writes each frame with its memory and the places that the compiler's map names as live pointers.  Go's
collector goes by more than these maps; `Stack` follows three further rules of it (scanstack and scanframeworker in
runtime/mgcmark.go):

* A local variable whose address was taken is a *stack object*.  No map names it; it lives once a live word of the same
  stack points at it.  A dump does not say where stack objects lie, so that a frame that is pointed at is taken whole.
* A goroutine that a signal stopped has no map for where it stands.  The frame of asyncPreempt, which holds the registers,
  and the frame behind it are taken whole.
* The closures that a goroutine has deferred and the value that it panics with live.

Without them everything that a goroutine reaches only through `&local` would look like garbage.  A frame taken whole may
hold stale words, so garbage may look alive, but a live object never looks like garbage.

One rule is missing: Go also scans the arguments of a function that a signal stopped conservatively, but a dump does not say
how many words they are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from collector.heaps.graph import WORD


if TYPE_CHECKING:
    from collections.abc import Iterator


Slots = list[tuple[int, int]]
"""(offset, value)"""

STOPPED_ANYWHERE = frozenset({"runtime.asyncPreempt", "runtime.debugCallV1", "runtime.debugCallV2"})
"""What a goroutine is made to call by a signal, between any two instructions."""


@dataclass(slots=True)
class Frame:
    """One frame: its memory begins at address `sp`, `slots` are those that a map names."""

    name: str
    sp: int
    memory: bytes
    slots: Slots
    whole: bool = False


class Stack:
    """A goroutine under construction; its frames come innermost first, at ascending addresses."""

    def __init__(self, goroutine: int) -> None:
        self.goroutine = goroutine
        self._frames: list[Frame] = []
        self._held: list[int] = []

    def frame(self, name: str, sp: int, memory: bytes, slots: Slots) -> None:
        """The next frame."""
        after_signal = bool(self._frames) and self._frames[-1].name in STOPPED_ANYWHERE
        self._frames.append(Frame(name, sp, memory, slots, after_signal or name in STOPPED_ANYWHERE))

    def hold(self, value: int) -> None:
        """A closure that is deferred, or a value that is panicked with; nil is nothing."""
        if value:
            self._held.append(value)

    def areas(self, order: str, heap: range) -> Iterator[tuple[str, int, Slots]]:
        """Every frame as (name, bytes, slots), and what is held beside them as one more.

        `order` is the byte order for `struct`.  Of the words that no map names, those in `heap` are slots.
        """
        self._spread(order)
        for frame in self._frames:
            if frame.whole:
                frame.slots += [(offset, value) for offset, value in words(frame, order) if value in heap]
            yield frame.name, len(frame.memory), frame.slots
        if self._held:
            yield (
                "deferred",
                WORD * len(self._held),
                list(zip(range(0, WORD * len(self._held), WORD), self._held, strict=True)),
            )

    def _spread(self, order: str) -> None:
        """Make every frame whole that a live word of the stack points into."""
        frames = self._frames
        starts = [frame.sp for frame in frames]
        grey = list(self._held)
        for frame in frames:
            grey += [value for _, value in (words(frame, order) if frame.whole else frame.slots)]
        while grey:
            value = grey.pop()
            i = bisect_right(starts, value) - 1
            if i >= 0 and value < frames[i].sp + len(frames[i].memory) and not frames[i].whole:
                frames[i].whole = True
                grey += [word for _, word in words(frames[i], order)]


def words(frame: Frame, order: str) -> Slots:
    """Every word of a frame."""
    n = len(frame.memory) // WORD
    return list(zip(range(0, WORD * n, WORD), Struct(f"{order}{n}Q").unpack_from(frame.memory), strict=True))
