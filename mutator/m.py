"""The M as a program uses it: allocation, stack, channels, polls, system calls.  (Go: m, mstart.)

A program is a function of one M.  It keeps its pointers in frames on the M's goroutine's stack, moves them with `get`
and `put`, allocates with `new`, and calls `poll` in every loop; between two polls it may hold pointers in Python
variables, at a poll it may not.

There is no scheduler: an M runs its one goroutine from mstart to its end.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from mutator.alloc import Alloc
from mutator.chan import Chan
from mutator.safepoint import Safepoint
from mutator.world import GDEAD, GRUNNABLE, GRUNNING


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from mutator.world import World
    from workbuf.machine import Port


class Mstart(Safepoint):
    """An M that runs one goroutine, or none if `curg` is 0."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.rng = Random(port.seed)
        """For programs; the protocol draws from fastrand1."""

    def mstart(self, program: Callable[[Self], object]) -> None:
        """Run `program` as this M's goroutine, from getting its P to giving it up."""
        self.acquirep()
        self.casgstatus(self.curg, GRUNNABLE, GRUNNING)
        program(self)
        self.goexit()

    def goexit(self) -> None:
        """The goroutine has ended, and the P is given up."""
        self.casgstatus(self.curg, GRUNNING, GDEAD)
        self.releasep()


class M(Alloc, Chan, Mstart):
    """Allocation, channels and a life: all that a program may call."""
