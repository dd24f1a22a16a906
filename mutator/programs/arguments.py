"""A program that calls a function again and again, with an argument that is the only pointer to an object.

It needs the arguments of a frame to be scanned like its locals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M

REFERENT, NUMBER = 0, 1
SIZE, MASK = 2 * WORD, 1 << REFERENT


class Arguments(Program):
    """One call after another, each with a pair of fresh objects that nothing else names; the caller keeps a pair too."""

    name = "arguments"
    polls = 64
    """At most so many in one call."""

    def run(self, m: M) -> None:
        """Call, poll for a while, and look whether the argument is whole."""
        mask = m.stackmap(1, [0])
        outer = m.call(1)
        m.port.words[outer] = self.pair(m, 0)
        number = 0
        while not m.stop_requested():
            m.poll()
            number += 1
            slot = m.pushframe(m.curg, 0, 0, 1, mask)
            m.port.words[slot] = self.pair(m, number)
            for _ in range(m.rng.randrange(self.polls)):
                m.poll()
            self.expect(m, m.port.words[slot], NUMBER, number)
            self.expect(m, m.get(m.port.words[slot], REFERENT), NUMBER, number)
            m.ret()
            self.expect(m, m.get(m.port.words[outer], REFERENT), NUMBER, 0)
        m.ret()

    def pair(self, m: M, number: int) -> int:
        """An object that names another, both numbered; no safepoint inside."""
        referent, obj = m.new(SIZE, MASK), m.new(SIZE, MASK)
        for each in (referent, obj):
            m.port.post(each // WORD + NUMBER, number)
        m.put(obj, REFERENT, referent)
        return obj
