"""The stepped machine's memory: a list of ints, with names for its cells.

There is no weak memory: every access is sequentially consistent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbuf.names import Names


if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence


MOST = 1 << 27
"""Cells of one piece: what is larger is a mistake, and takes a gigabyte."""


class Pointer(NamedTuple):
    """What a word points to, for those who show it."""

    noun: str
    """The name of a record."""
    pushcnt: int | None = None
    """The push count that is packed with the address."""

    def __str__(self) -> str:
        return self.noun if self.pushcnt is None else f"{self.noun}#{self.pushcnt}"


class Memory:
    """Flat memory of 64-bit words, allocated upwards."""

    def __init__(self) -> None:
        self.words = [0]
        """Cell 0 is never allocated."""
        self.plain: MutableSequence[int] = self.words
        """What a program reads and writes in them without a step."""
        self.shown: MutableSequence[int] = self.words
        """The same, as the machine shows it: `machine.mem`."""
        self.names = Names()
        self.given = self.names.given.append
        self.nodes = 0
        """Pieces of memory that were taken without a name."""
        self.taken: list[tuple[int, int]] = []
        """Those pieces, in order: the first cell of each, and the first behind it."""
        self.statistics: set[int] = set()
        """Cells that decide nothing."""

    def begin(self) -> None:
        """Forget everything."""
        del self.words[1:]
        self.names.clear()
        self.nodes = 0
        self.taken.clear()
        self.statistics.clear()

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells; see `workbuf.machine.Machine.alloc`."""
        words = self.words
        a = at = len(words)
        if n.__class__ is not int or not 0 <= n <= MOST or align != 1:
            measured(n, align)
            a = -(-at // align) * align
        words.extend([0] * (a + n - at))
        self.given((a, n, name, fields))
        if statistics:
            self.statistics.update(range(a, a + n))
        return a

    def extend(self, n: int, align: int = 1) -> int:
        """`n` zeroed cells at the end, the first at a multiple of `align`; nodes by name, until they get another one."""
        words = self.words
        self.taken.append((len(words), len(words)))  # a mistake takes nothing
        measured(n, align)
        a = -(-len(words) // align) * align
        words.extend([0] * (a + n - len(words)))
        self.nodes += 1
        self.taken[-1] = a, a + n
        self.given((a, n, f"node{self.nodes}", ()))
        return a

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""
        a = len(self.words)
        self.words.append(init)
        self.given((a, 1, name or f"word{a}", ()))
        return a


def measured(n: int, align: int) -> None:
    """Raises ValueError if there is no such piece of memory."""
    if not (isinstance(n, int) and isinstance(align, int) and 0 <= n <= MOST and align > 0):
        raise ValueError(f"a piece has 0 to {MOST} cells and is aligned to 1 or more, not {n!r} and {align!r}")
