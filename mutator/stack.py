"""Stacks: frames with pointer maps.  (Go: stkframe, stackmapdata, the part of gentraceback that the collector needs.)

Theory of operation.  A goroutine's stack is a run of cells; a frame is a header and then its words, locals before
arguments.  The header links to the caller's frame and says how many words there are and where their pointer bitmaps lie
(64 words a cell, lowest bit first).  `continpc` 0 marks a dead frame, whose words are not looked at.

Guards.  A stack is touched by its own goroutine while that runs, and by whoever holds the scan bit otherwise.  Stores into
one's own stack have no write barrier, which is why stacks are scanned again in mark termination.

Not modelled.  Growing, copying and shrinking stacks; defers (a dump's defers are roots of their own).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.world import MRECORD, G, bitmap
from workbuf.layout import Struct
from workbuf.lists import Lists
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mutator.world import World
    from workbuf.machine import Port


FRAME = Struct("frame", "caller", "continpc", "nlocals", "localsmask", "nargs", "argsmask")


class Stack(Lists):
    """Frames of any goroutine, and the locals of this M's own."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.curg = port.words[record + MRECORD.curg]
        """The goroutine this M runs, or 0."""
        self.stackmaps: dict[tuple[int, int], int] = {}

    def stackmap(self, n: int, pointers: Iterable[int]) -> int:
        """The cell of a bitmap of `n` words of which `pointers` are pointers; equal ones are made once per M."""
        cells = bitmap(pointers, n)
        key = n, sum(word << 64 * at for at, word in enumerate(cells))
        at = self.stackmaps.get(key)
        if at is None:
            at = self.persistentalloc(max(len(cells), 1) * WORD, WORD) // WORD
            for i, word in enumerate(cells):
                self.port.words[at + i] = word
            self.stackmaps[key] = at
        return at

    def pushframe(
        self,
        gp: int,
        nlocals: int,
        localsmask: int,
        nargs: int = 0,
        argsmask: int = 0,
    ) -> int:
        """Call: a new innermost frame of `gp` with zeroed words; returns the cell of its first local."""
        words = self.port.words
        caller = words[gp + G.frame]
        frame = words[gp + G.stackbase] if caller == 0 else self.frameend(caller)
        first = frame + FRAME.size
        if first + nlocals + nargs > words[gp + G.stackend]:
            raise Throw("stack overflow", f"goroutine {words[gp + G.goid]}: no room for {nlocals + nargs} words")
        words[frame + FRAME.caller] = caller
        words[frame + FRAME.continpc] = 1
        words[frame + FRAME.nlocals] = nlocals
        words[frame + FRAME.localsmask] = localsmask
        words[frame + FRAME.nargs] = nargs
        words[frame + FRAME.argsmask] = argsmask
        self.port.fill(first, nlocals + nargs, 0)
        words[gp + G.frame] = frame
        return first

    def popframe(self, gp: int) -> None:
        """Return: the caller's frame is the innermost again."""
        words = self.port.words
        words[gp + G.frame] = words[words[gp + G.frame] + FRAME.caller]

    def frameend(self, frame: int) -> int:
        """The cell behind a frame."""
        words = self.port.words
        return frame + FRAME.size + words[frame + FRAME.nlocals] + words[frame + FRAME.nargs]

    def frames(self, gp: int) -> Iterator[int]:
        """The frames of `gp`, innermost first (Go's gentraceback)."""
        words = self.port.words
        frame = words[gp + G.frame]
        while frame:
            yield frame
            frame = words[frame + FRAME.caller]

    def call(self, nlocals: int) -> int:
        """A frame of `nlocals` pointers on this M's own goroutine; returns the cell of its first local."""
        return self.pushframe(self.curg, nlocals, self.stackmap(nlocals, range(nlocals)))

    def ret(self) -> None:
        """Leave this M's innermost frame."""
        self.popframe(self.curg)
