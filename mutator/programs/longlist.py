"""One long linked list: marking it has one grey object at a time, so helpers find no work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M

NEXT, VALUE = 0, 1
SIZE, MASK = 2 * WORD, 1 << NEXT


class LongList(Program):
    """A queue of `length` nodes, appended to at the tail and dropped from the head."""

    name = "longlist"
    globals = 2
    length = 5000

    def run(self, m: M) -> None:
        """Grow the list, then keep it at its length; node values count up from the head."""
        head, tail = self.slot(0), self.slot(1)
        first = last = 0
        while not m.stop_requested():
            m.poll()
            node = m.new(SIZE, MASK)
            m.port.post(node // WORD + VALUE, last)
            if last == first:
                m.writebarrierptr(head, node)
            else:
                m.put(m.port.hint(tail // WORD), NEXT, node)
            m.writebarrierptr(tail, node)
            last += 1
            if last - first > self.length:
                gone = m.port.hint(head // WORD)
                self.expect(m, gone, VALUE, first)
                m.writebarrierptr(head, m.get(gone, NEXT))
                first += 1
