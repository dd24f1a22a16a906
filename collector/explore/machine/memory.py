"""The stepped machine's memory: a list of ints, with names for its cells.

There is no weak memory: every access is sequentially consistent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbuf.names import Names


if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence


class Pointer(NamedTuple):
    """What a word points to, for those who show it."""

    noun: str
    """The name of a record."""
    pushcnt: int | None = None
    """The push count that is packed with the address."""


class Memory:
    """Flat memory of 64-bit words, allocated upwards."""

    def __init__(self) -> None:
        self.words = [0]
        """Cell 0 is never allocated."""
        self.plain: MutableSequence[int] = self.words
        """What a program reads and writes in them without a step."""
        self.names = Names()
        self.label = self.names.label
        self.given = self.names.given.append
        self.statistics: set[int] = set()
        """Cells that decide nothing."""

    def begin(self) -> None:
        """Forget everything."""
        del self.words[1:]
        self.names.clear()
        self.statistics.clear()

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        """`n` fresh zeroed cells; see `workbuf.machine.Machine.alloc`."""
        a = at = len(self.words)
        if align > 1:
            a = -(-at // align) * align
        self.words.extend([0] * (a + n - at))
        self.given((a, n, name, fields))
        if statistics:
            self.statistics.update(range(a, a + n))
        return a

    def extend(self, n: int, align: int = 1) -> int:
        """`n` zeroed cells at the end, the first at a multiple of `align`; they have no name yet."""
        words = self.words
        a = -(-len(words) // align) * align
        words.extend([0] * (a + n - len(words)))
        return a

    def word(self, init: int, name: str = "") -> int:
        """One fresh cell holding `init`."""
        a = len(self.words)
        self.words.append(init)
        self.label(a, 1, name or f"word{a}")
        return a
