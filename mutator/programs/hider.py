"""The lost-object adversary: loads a pointer onto its stack, deletes it from the heap, and later stores it elsewhere.

The hidden object has been in the heap for a while, so no barrier has shaded it in this cycle.  If the stack was scanned
before the load, and the heap object that held the pointer after the deletion, only the second stack scan, in mark
termination, finds it.  So the program often keeps an object hidden until the mark is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.phase import GCoff
from mutator.programs.program import Program
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from mutator.m import M

FIRST, SECOND, STAMP = 0, 1, 2
SIZE, MASK = 3 * WORD, 1 << FIRST | 1 << SECOND


class Hider(Program):
    """`boxes` global boxes; each holds a pair whose second half is only reachable through the first."""

    name = "hider"
    globals = 16
    boxes = 16
    patience = 4000
    """Sleeps through which it waits at most for the end of a mark: one that polled would take the mark's own time."""

    def run(self, m: M) -> None:
        """Hide the chain of one box on the stack for some polls, then publish it in another box."""
        frame = m.call(1)
        stamps = [0] * self.boxes
        stamp = 0
        while not m.stop_requested():
            m.poll()
            source, target = m.rng.randrange(self.boxes), m.rng.randrange(self.boxes)
            box = m.port.hint(self.slot(source) // WORD)
            if not box or not m.get(box, FIRST):
                stamp += 1
                self.fill(m, source, stamp)
                stamps[source] = stamp
                continue
            mine = stamps[source]
            m.port.words[frame] = m.get(box, FIRST)
            m.put(box, FIRST, 0)
            m.writebarrierptr(self.slot(source), 0)
            stamps[source] = 0
            self.wait(m)
            hidden = m.port.words[frame]
            self.expect(m, hidden, STAMP, mine)
            self.expect(m, m.get(hidden, SECOND), STAMP, mine)
            m.writebarrierptr(self.slot(target), hidden)
            m.port.words[frame] = 0
            stamps[target] = mine
            self.check(m, stamps)
        m.ret()

    def wait(self, m: M) -> None:
        """A few polls, or every other time as many as it takes for the mark under way to be over."""
        if m.rng.random() < 0.5:
            for _ in range(m.rng.randrange(4)):
                m.poll()
            return
        for _ in range(self.patience):
            m.port.pause(Pause.USLEEP, 100)
            m.poll()
            if m.port.words[m.gcphase] == GCoff:
                return

    def fill(self, m: M, i: int, stamp: int) -> None:
        """Put box -> inner -> innermost into global word `i`, all three stamped; no safepoint inside."""
        innermost = m.new(SIZE, MASK)
        inner = m.new(SIZE, MASK)
        box = m.new(SIZE, MASK)
        for obj in (innermost, inner, box):
            m.port.post(obj // WORD + STAMP, stamp)
        m.put(inner, SECOND, innermost)
        m.put(box, FIRST, inner)
        m.writebarrierptr(self.slot(i), box)

    def check(self, m: M, stamps: list[int]) -> None:
        """Look into one box at random."""
        i = m.rng.randrange(self.boxes)
        obj = m.port.hint(self.slot(i) // WORD)
        if obj:
            self.expect(m, obj, STAMP, stamps[i])
