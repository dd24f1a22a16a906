"""The finished M of a mutator: everything a program may call.  (Go: m, mstart, fastrand1.)

Theory of operation.  A program is a function of one M.  It keeps its pointers in frames on the M's goroutine's stack,
moves them with `get` and `put`, allocates with `new`, and calls `poll` in every loop; between two polls it may hold
pointers in Python variables, at a poll it may not.

Not modelled.  Scheduling: an M runs its one goroutine from mstart to its end.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from mutator.alloc import Alloc
from mutator.world import GDEAD, GRUNNABLE, GRUNNING
from mutator.world import M as RECORD


if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from mutator.world import World
    from workbuf.machine import Port

FASTRAND_SEED = 0x49F6428A


class M(Alloc):
    """An M that runs one goroutine, or none if `curg` is 0."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.id = port.words[record + RECORD.id]
        self.fastrand = (FASTRAND_SEED + self.id + port.seed & 0xFFFFFFFF) or FASTRAND_SEED
        self.rng = Random(port.seed)
        """For programs; the protocol draws from fastrand1."""

    def fastrand1(self) -> int:
        """The next of Go's per-M random numbers, 31 bits."""
        x = self.fastrand
        y = x << 1 & 0xFFFFFFFF
        self.fastrand = y ^ 0x88888EEF if y >> 31 else y
        return self.fastrand

    def mstart(self, program: Callable[[Self], object]) -> None:
        """Run `program` as this M's goroutine, from getting its P to giving it up."""
        self.acquirep()
        self.casgstatus(self.curg, GRUNNABLE, GRUNNING)
        program(self)
        self.casgstatus(self.curg, GRUNNING, GDEAD)
        self.releasep()
