"""Objects of one size, then of another: spans are emptied, and their pages are reused for another size class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD
from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.m import M

NEXT, NUMBER = 0, 1
SIZES = (16, 32, 48, 96, 160, 256, 512, 1024, 2048)


class Sizes(Program):
    """A table in a global word that is filled, over and over, with objects of a size drawn anew."""

    name = "sizes"
    globals = 1
    entries = 200
    """Pointer words of the table: more than one word of its mask has bits for."""

    def run(self, m: M) -> None:
        """Fill the table; objects of one round are linked to one another, and numbered by it."""
        m.writebarrierptr(self.slot(0), m.new(self.entries * WORD, (1 << self.entries) - 1))
        numbers = [0] * self.entries
        number = 0
        while not m.stop_requested():
            number += 1
            size = m.rng.choice(SIZES)
            self.fill(m, numbers, number, size)

    def fill(self, m: M, numbers: list[int], number: int, size: int) -> None:
        """One round."""
        for at in range(self.entries):
            m.poll()
            if m.stop_requested():
                return
            table = m.port.hint(self.slot(0) // WORD)
            before = m.get(table, at)
            if before:
                self.expect(m, before, NUMBER, numbers[at])
            obj = self.fresh(m, size)
            m.port.post(obj // WORD + NUMBER, number)
            if at and numbers[at - 1] == number:
                m.put(obj, NEXT, m.get(table, at - 1))
            m.put(table, at, obj)
            numbers[at] = number

    def fresh(self, m: M, size: int) -> int:
        """An object of that size, of which every word is looked at."""
        obj = m.new(size, 1 << NEXT)
        for word in range(size // WORD):
            value = m.get(obj, word)
            if value:
                line = println("runtime: word", word, "of the new object", hex(obj), "holds", hex(value))
                raise Throw("heap corrupted", line)
        return obj
