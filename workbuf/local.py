"""The part of an M that the list operations use: its port, its cached buffer, its statistics.  (Go: `m` in runtime2.go.)

Theory of operation.  Go reaches all of this through `getg().m`; here the M is `self`.  Each of Go's functions is a
method under Go's name, in small classes derived from `Local`, one to a file; a variant of the protocol is a subclass that
overrides one method.  One object of the complete class serves one thread.  It has its own port and its own copies of
every address, because two threads that share Python objects slow each other down on a free-threaded build.

Guards.  `currentwbuf` is 0 or the address of one workbuf that this M owns (in use, on no list).  Only code running on
this M makes it non-zero; this M or harvestwbufs zeroes it.  Take = exchange with 0, give = exchange with the buffer (the
old value must be 0), a plain load is a hint.  Moving a buffer into or out of it is never logged in the buffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbuf.layout import Struct


if TYPE_CHECKING:
    from workbuf.machine import Machine, Port


MLOCAL = Struct("m", "currentwbuf", "nhandoff", "nhandoffcnt", "nprocyield", "nosyield", "nsleep", "wbuf2")
"""The part of an M's record that workbuf reads; the five counters are Go's gcstats.  `wbuf2` is a later design's second
buffer; the seed leaves it 0."""

WORK = Struct(
    "work",
    "full",
    "empty",
    "partial",
    "nproc",
    "nwait",
    "ndone",
    "alldone",
    "persistent_lock",
    "persistent_at",
    "persistent_end",
    "nbuffers",
    "allbuffers",
)
"""Go's `work`: the three heads (0 = empty list), the termination barrier, and beside them persistentalloc's chunk and the
register of buffers: `allbuffers` is the first of pairs (buffer, next), guarded like the chunk by `persistent_lock`."""


@dataclass
class Globals:
    """Addresses of what is global.  The world of `mutator.world` adds its own."""

    machine: Machine
    work: int
    """Cell of the WORK record."""
    wbufsize: int = 256
    """Bytes in a workbuf (_WorkbufSize)."""
    countbits: int = 19
    """Width of lfstack's push count."""
    persistentchunk: int = 256 << 10
    """Bytes that persistentalloc takes from the system at a time."""

    @classmethod
    def allocate(cls, machine: Machine, wbufsize: int = 256, countbits: int = 19) -> Globals:
        """The record of a machine that has nothing but work buffers."""
        return cls(machine, WORK.allocate(machine, "work", align=8), wbufsize, countbits)


class Local:
    """What one M keeps for itself; the base of every class of the protocol."""

    def __init__(self, port: Port, world: Globals, record: int) -> None:
        """`record` is the cell of this M's record, whose struct begins as MLOCAL does."""
        self.port = port
        self.work = world.work
        self.record = record
        self.currentwbuf = record + MLOCAL.currentwbuf
