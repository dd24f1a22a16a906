"""A machine for one thread, words in a list, and heaps in it: what the heap's own tests stand on.

It is strict where the real ones are kind: a lock that is held, a note or a pause ends the test, because a single thread
would wait for ever; a store into a cell that was never allocated is an IndexError; a value is a word or an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mutator.heap import Heap, HeapLocal
from mutator.heap.audit import audit
from mutator.heap.bits import ALLOCATED, MARKED
from mutator.heap.record import MSTATS
from mutator.world import World
from workbuf.events import null
from workbuf.machine import MASK64, WORD


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class FlatMachine:
    """Machine and port in one."""

    def __init__(self) -> None:
        self.words = [0] * 64
        self.index, self.name, self.seed = 0, "m", 0
        self.event = null
        self.peek = self.hint = self.load = self.words.__getitem__

    def alloc(
        self, n: int, _name: str, _fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False
    ) -> int:
        """Fresh cells at the end."""
        del statistics
        return self.sysalloc(n, align)

    def sysalloc(self, n: int, align: int = 1) -> int:
        """Fresh cells at the end."""
        at = -(-len(self.words) // align) * align
        self.words.extend([0] * (at + n - len(self.words)))
        return at

    def label(self, _a: int, _n: int, _name: str, _fields: Sequence[str] = ()) -> None:
        """Names are for reports."""

    def poke(self, a: int, v: int) -> None:
        """Store a word."""
        assert a > 0
        assert 0 <= v <= MASK64
        self.words[a] = v

    post = store = poke

    def hints(self, a: int, n: int) -> list[int]:
        """Load words."""
        return self.words[a : a + n]

    def fill(self, a: int, n: int, v: int) -> None:
        """Store words."""
        assert n >= 0
        assert a + n <= len(self.words)
        self.words[a : a + n] = [v] * n

    def cas(self, a: int, old: int, new: int) -> bool:
        """Compare and swap."""
        if self.words[a] != old:
            return False
        self.poke(a, new)
        return True

    def xadd(self, a: int, delta: int) -> int:
        """Add; the sum must not wrap: nothing in the heap counts below 0."""
        self.poke(a, self.words[a] + delta)
        return self.words[a]

    def or8(self, byte: int, mask: int) -> None:
        """OR into a byte."""
        assert 0 <= mask < 256
        self.words[byte // WORD] |= mask << byte % WORD * 8

    def lock(self, a: int) -> None:
        """Take a lock that nobody holds."""
        assert self.words[a] == 0, "a lock is taken twice"
        self.words[a] = 1

    def unlock(self, a: int) -> None:
        """Give it back."""
        assert self.words[a] == 1, "a lock that is not held is given back"
        self.words[a] = 0

    def check(self) -> None:
        """Nobody aborts."""


class Made:
    """A heap, and Ms on it, all of one thread."""

    def __init__(self, arena: int = 1 << 20, ms: int = 1, cls: type[HeapLocal] = HeapLocal, **sizes: int) -> None:
        machine: Any = FlatMachine()
        self.machine = machine
        self.heap = Heap.allocate(machine, arena, **sizes)
        self.world = World.make(machine, self.heap, markfor=0, ms=ms, gs=1)
        self.ms = [cls(machine, self.world, self.world.newm(f"m{i}")) for i in range(ms)]
        self.m = self.ms[0]

    def problems(self, *, marks: bool = False) -> list[str]:
        """What the audit complains about."""
        return audit(self.machine, self.heap, marks=marks)

    def stat(self, field: str) -> int:
        """A word of MSTATS."""
        return int(self.machine.peek(self.heap.mstats + MSTATS.offsets[field]))

    def mark(self, p: int) -> None:
        """What a marker does to an object it reaches."""
        base, hbits, bits = self.m.heapBitsForObject(p)
        assert base
        assert bits & ALLOCATED
        self.machine.or8(hbits, MARKED)

    def collect(self, live: Sequence[int], *, sweep: bool = True) -> None:
        """A collection that finds `live` reachable and nothing else."""
        self.m.flushallmcaches()
        self.m.finishsweep_m()
        for p in live:
            self.mark(p)
        self.machine.poke(self.heap.mstats + MSTATS.next_gc, max(2 * self.stat("heap_alloc"), 4 << 20))
        self.m.arm_sweep()
        if sweep:
            self.m.finishsweep_m()

    def allocated(self, p: int) -> bool:
        """Is there an object at `p`?"""
        base, _, bits = self.m.heapBitsForObject(p)
        return base == p and bool(bits & ALLOCATED)

    def object(self, p: int, n: int) -> list[int]:
        """The first `n` words of an object."""
        return list(self.machine.words[p // WORD : p // WORD + n])


def wholemask(cells: Iterable[int]) -> int:
    """The pointer mask that `maskwords` cut up."""
    return int.from_bytes(b"".join(cell.to_bytes(WORD, "little") for cell in cells), "little")


def pointermask(m: HeapLocal, p: int) -> int:
    """The pointer mask of the object at or around `p`, bit i for word i; 0 if there is none."""
    return wholemask(m.masksof(p)[1])
