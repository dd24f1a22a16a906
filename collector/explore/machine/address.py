"""Addresses that know what they are, so that a trace can tell the address of a node from the number 3.

Theory of operation.  While a schedule is recorded, what `alloc`, `word`, `extend` and `sysalloc` return is an `Address`: an
int, equal to the one that exploration uses, that keeps the cell which it points to.  It goes through the program and its
memory as any int does.  Shifted, and with a count or a mark in its free bits, it is still the address of that cell: a byte
address, a packed word.  What no longer contains the cell is a plain int again: a count that was taken out of a packed word,
the distance of two addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from collector.explore.machine.memory import Memory, Pointer


if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES = 3
"""Bits that a cell's number is shifted by in a byte address."""
FAR = 1 << 24
"""Who adds as much or more does not go to another cell, but counts in the upper bits."""


class Address(int):
    """A word in which the number of a cell stands, `shift` bits from the right."""

    shift: int
    cell: int

    def __new__(cls, v: SupportsIndex, shift: int = 0, cell: int = 0) -> Address:  # noqa: PYI034  as int's
        self = super().__new__(cls, v)
        self.shift = shift
        self.cell = cell or int(v)
        return self

    def pointer(self, memory: Memory) -> Pointer | str | None:
        """What to show for it; None if it is outside of the memory, and so a number."""
        if not 0 < self.cell < len(memory.words):
            return None
        name = memory.names.named(self.cell)
        noun = name.noun if name.element else name.record
        rest = (int(self) >> self.shift) - self.cell
        if rest:
            return f"{noun}+{rest << self.shift:#x}"
        low = int(self) & (1 << self.shift) - 1
        return Pointer(noun, low if low or self.shift not in {0, BYTES} else None)

    def _with(self, v: int, shift: int) -> int:
        """`v`; an address if this one's cell stands in it, at `shift`."""
        mask = (1 << self.cell.bit_length()) - 1
        return Address(v, shift, self.cell) if shift >= 0 and v >> shift & mask == self.cell else v

    def _plus(self, n: int) -> int:
        """The address of another cell, or the same one with another count."""
        v = int(self) + n
        at = v >> self.shift
        return Address(v, self.shift, at) if abs(n) < FAR and at > 0 else self._with(v, self.shift)

    def __add__(self, n: int) -> int:
        return self._plus(int(n)) if isinstance(n, int) else NotImplemented

    __radd__ = __add__

    def __sub__(self, n: int) -> int:
        if isinstance(n, Address):
            return int(self) - int(n)
        return self._plus(-n) if isinstance(n, int) else NotImplemented

    def __lshift__(self, n: int) -> int:
        return self._with(int(self) << n, self.shift + n)

    def __rshift__(self, n: int) -> int:
        return self._with(int(self) >> n, self.shift - n)

    def __mul__(self, n: int) -> int:
        if not isinstance(n, int):
            return NotImplemented
        bits = n.bit_length() - 1
        return self << bits if n == 1 << max(bits, 0) else int(self) * n

    __rmul__ = __mul__

    def __floordiv__(self, n: int) -> int:
        bits = n.bit_length() - 1
        return self >> bits if n == 1 << max(bits, 0) else int(self) // n

    def __mod__(self, n: int) -> int:
        return self._with(int(self) % n, self.shift)

    def __and__(self, n: int) -> int:
        v = int(self) & n
        return self._plus(v - int(self)) if n < 0 else self._with(v, self.shift)  # negative: to a multiple

    def __or__(self, n: int) -> int:
        return self._with(int(self) | n, self.shift)

    def __xor__(self, n: int) -> int:
        return self._with(int(self) ^ n, self.shift)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__


class AddressMemory(Memory):
    """A memory whose addresses know what they are."""

    def alloc(self, n: int, name: str, fields: Sequence[str] = (), *, align: int = 1, statistics: bool = False) -> int:
        return Address(super().alloc(n, name, fields, align=align, statistics=statistics))

    def extend(self, n: int, align: int = 1) -> int:
        return Address(super().extend(n, align))

    def word(self, init: int, name: str = "") -> int:
        return Address(super().word(init, name))
