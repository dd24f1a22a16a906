"""The M that counts what a comparison is about: list operations of barriers, buffers that come straight back, waiting.

It stands on top of a design, so that nothing which the design changes escapes it.  A list operation is a push, or a pop that
came back with a buffer: each is one CAS that succeeded.  A pop of an empty list costs a load, and is not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from collector.runtime import CollectorM
from mutator.heap import DEAD


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port

AnyM = TypeVar("AnyM", bound=CollectorM)


class Counting(CollectorM):
    """Counts of one M, in attributes of its own: two threads share nothing."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.barriers = 0
        """Times that a pointer store shaded, or tried to."""
        self.barrier_attempts = 0
        """Of the CAS on list heads, those inside barriers."""
        self.barrier_failures = 0
        self.pops = 0
        self.flaps = 0
        """Pops that gave the buffer that this M had pushed last."""
        self.pushed = 0
        self.waited = 0
        """Time in getfull, by the port's clock."""

    def shade(self, b: int) -> None:
        """Counted."""
        attempts, failures = self.cas_attempts, self.cas_failures
        super().shade(b)
        self.barriers += 1
        self.barrier_attempts += self.cas_attempts - attempts
        self.barrier_failures += self.cas_failures - failures

    def lfstackpush(self, head: int, node: int) -> None:
        """Remembered."""
        self.pushed = node
        super().lfstackpush(head, node)

    def lfstackpop(self, head: int) -> int:
        """Counted."""
        node = super().lfstackpop(head)
        if node:
            self.pops += 1
            self.flaps += node == self.pushed
        return node

    def getfull(self, entry: int) -> int:
        """Timed."""
        began = self.port.now()
        b = super().getfull(entry)
        self.waited += self.port.now() - began
        return b


class Timing(Counting):
    """Times each object from its greying to its scanning: on the stepped machine, whose threads may share a dictionary."""

    greyed: dict[int, int]
    """By an object's address, when it was greyed."""
    delays: list[int]
    """Of all objects that were scanned, in steps."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Noted, if it goes into a buffer."""
        if not bits & (self.greybit | DEAD):
            self.greyed[obj] = self.port.now()
        return super().greyobject(obj, base, off, hbits, bits, wbuf)

    def scanobject(self, b: int, wbuf: int) -> int:
        """Timed; objects of the roots, which nobody greyed, are not."""
        since = self.greyed.pop(b, None)
        if since is not None:
            self.delays.append(self.port.now() - since)
        return super().scanobject(b, wbuf)


def counting(m: type[AnyM], how: type[Counting] = Counting) -> type[AnyM]:
    """The class `m` of a run, counting."""
    return type(f"{how.__name__}{m.__name__}", (how, m), {})
