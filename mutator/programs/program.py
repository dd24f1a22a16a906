"""The base class of mutator programs: a program changes the heap until it is asked to stop, and checks what it reads.

A program asks for some global words (roots in bss) and channels before the run, then runs on one M.  It checks what it
reads: an object that has been freed shows as poison (`get` throws), one that has been freed and used again as a wrong
payload (`expect` throws).

A program must call `m.poll()` in every loop, and keep what must survive a poll in a stack slot or in the heap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbuf.throw import Throw, println


if TYPE_CHECKING:
    from mutator.m import M
    from mutator.world import World


class Program:
    """The base of the programs.  One instance serves one M; `peers` is how many Ms run this kind, `rank` which one it is."""

    name = ""
    globals = 0
    """Words of bss it wants for itself."""

    def __init__(self, world: World, first: int, rank: int, peers: int) -> None:
        """`first` is the first of its words in bss.  Called before any thread runs."""
        self.world = world
        self.first = first
        self.rank = rank
        self.peers = peers

    def slot(self, i: int) -> int:
        """Byte address of the program's global word `i`."""
        return self.world.bss.slot(self.first + i)

    def run(self, m: M) -> None:
        """Mutate until `m.stop_requested()`."""
        raise NotImplementedError

    def expect(self, m: M, obj: int, word: int, value: int) -> None:
        """Throw unless the scalar in that word of `obj` is the one this program put there."""
        found = m.get(obj, word)
        if found != value:
            line = println("runtime:", self.name, "object", hex(obj), "word", word, "=", hex(found), "want", hex(value))
            raise Throw("heap corrupted", line)
