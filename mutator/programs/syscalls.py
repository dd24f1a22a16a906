"""Ms that are in system calls most of the time, and come back to allocate, store and read a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.programs.program import Program
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from mutator.m import M

NEXT, VALUE = 0, 1
SIZE, MASK = 2 * WORD, 1 << NEXT


class Syscalls(Program):
    """Keeps a pair of objects reachable from its stack alone while it is away; the collector scans that stack for it."""

    name = "syscalls"
    longest_us = 300
    """Microseconds of a call at most."""

    def run(self, m: M) -> None:
        """Call after call."""
        frame = m.call(1)
        number = 0
        while not m.stop_requested():
            m.poll()
            number += 1
            inner = m.new(SIZE, MASK)
            m.port.post(inner // WORD + VALUE, number)
            outer = m.new(SIZE, MASK)
            m.put(outer, NEXT, inner)
            m.port.words[frame] = outer
            m.entersyscall()
            m.port.pause(Pause.USLEEP, m.rng.randrange(self.longest_us))
            m.exitsyscall()
            m.poll()
            self.expect(m, m.get(m.port.words[frame], NEXT), VALUE, number)
        m.ret()
