"""A linked list used as a stack: push at the front, pop from the front, now and then walk a little way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M

NEXT, VALUE = 0, 1
SIZE, MASK = 4 * WORD, 1 << NEXT


class PushPop(Program):
    """Keeps up to `longest` nodes alive; node k from the bottom holds the value k."""

    name = "pushpop"
    globals = 1
    longest = 400

    def run(self, m: M) -> None:
        """Push and pop at random, checking every value on its way out."""
        head = self.slot(0)
        length = 0
        while not m.stop_requested():
            m.poll()
            top = m.port.hint(head // WORD)
            if length and (length >= self.longest or m.rng.random() < 0.48):
                self.expect(m, top, VALUE, length)
                m.writebarrierptr(head, m.get(top, NEXT))
                length -= 1
            else:
                node = m.new(SIZE, MASK)
                length += 1
                m.port.post(node // WORD + VALUE, length)
                m.put(node, NEXT, top)
                m.writebarrierptr(head, node)
            if m.rng.random() < 0.02:
                self.walk(m, head, length)

    def walk(self, m: M, head: int, length: int) -> None:
        """Follow the list for a few nodes, without a safepoint, and check each."""
        node = m.port.hint(head // WORD)
        for value in range(length, max(length - 16, 0), -1):
            self.expect(m, node, VALUE, value)
            node = m.get(node, NEXT)
