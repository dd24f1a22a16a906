"""The port of a machine's set-up: used by one thread, before any other runs.

Every operation is done at once, through the machine's `peek` and `poke`.  An operation that would block is an error of
the set-up.
"""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from workbuf.events import null
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbuf.machine import Machine, Pause, Port, Words


class BootWords:
    """Plain access through `peek` and `poke`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __getitem__(self, a: int, /) -> int:
        return self.machine.peek(a)

    def __setitem__(self, a: int, v: int, /) -> None:
        self.machine.poke(a, v)


class BootPort:
    """Implements `workbuf.machine.Port`."""

    index = -1
    name = "boot"
    seed = 0
    event = staticmethod(null)

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.words: Words = BootWords(machine)
        self.hint = self.load = machine.peek
        self.post = self.store = machine.poke
        self.blocks = 0

    @cached_property
    def random(self) -> Random:
        """What `choose` draws from: few set-ups choose, and seeding costs more than most of them."""
        return Random(0)

    def hints(self, a: int, n: int, /) -> Sequence[int]:
        return [self.machine.peek(at) for at in range(a, a + n)]

    def fill(self, a: int, n: int, v: int, /) -> None:
        for at in range(a, a + n):
            self.machine.poke(at, v)

    def cas(self, a: int, old: int, new: int, /) -> bool:
        found = self.machine.peek(a) == old
        if found:
            self.machine.poke(a, new)
        return found

    def xchg(self, a: int, v: int, /) -> int:
        old = self.machine.peek(a)
        self.machine.poke(a, v)
        return old

    def xadd(self, a: int, delta: int, /) -> int:
        new = self.machine.peek(a) + delta & MASK64
        self.machine.poke(a, new)
        return new

    def or8(self, byte: int, mask: int, /) -> None:
        a = byte >> 3
        self.machine.poke(a, self.machine.peek(a) | mask << (byte & 7) * 8)

    def pause(self, kind: Pause, n: int, /) -> None:
        raise RuntimeError(f"set-up would wait ({kind.name} {n})")

    def check(self) -> None:
        pass

    def sleep(self, note: int, ns: int = -1, /) -> bool:
        if not self.machine.peek(note):
            raise RuntimeError(f"set-up would sleep on cell {note} ({ns} ns)")
        return True

    def wake(self, note: int, /) -> None:
        self.machine.poke(note, 1)

    def lock(self, a: int, /) -> None:
        if self.machine.peek(a):
            raise RuntimeError(f"set-up would wait for the lock at cell {a}")
        self.machine.poke(a, MASK64)

    def trylock(self, a: int, /) -> bool:
        free = self.machine.peek(a) == 0
        if free:
            self.machine.poke(a, MASK64)
        return free

    def unlock(self, a: int, /) -> None:
        self.machine.poke(a, 0)

    def choose(self, n: int, /) -> int:
        return self.random.randrange(n)

    def now(self) -> int:
        return 0

    def spawn(self, body: Callable[[Port], object], name: str = "", /) -> None:
        self.machine.spawn(body, name)

    def sysalloc(self, n: int, align: int = 1, /) -> int:
        self.blocks += 1
        return self.machine.alloc(n, f"sysalloc{self.blocks}", align=align)

    def label(self, a: int, n: int, name: str, fields: Sequence[str] = (), /) -> None:
        self.machine.label(a, n, name, fields)
