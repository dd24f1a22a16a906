"""The last pointer stores of each M, for the report of a lost object: who wrote an edge, and when.

A store into one's own stack is not among them: it has no barrier, and nobody could say what it costs.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mutator.chan import Chan
from mutator.writebarrier import Writebarrier
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.world import World
    from workbuf.machine import Port

KEPT = 1 << 13
"""Stores that each M keeps."""


class Store(NamedTuple):
    """One store: when (the events' clock), in which thread, into which cell, what, and whether by a send to a stack."""

    time: int
    thread: int
    cell: int
    value: int
    sent: bool


class Storing(Chan, Writebarrier):
    """An M that remembers its last pointer stores, whatever becomes of them below."""

    def __init__(self, port: Port, world: World, record: int) -> None:
        super().__init__(port, world, record)
        self.stores: deque[tuple[int, int, int, bool]] = deque(maxlen=KEPT)
        append, store, clock = self.stores.append, super().writebarrierptr, perf_counter_ns

        def writebarrierptr(dst: int, src: int) -> None:
            append((clock(), dst, src, False))
            store(dst, src)

        # Bound once: a method that calls super() would cost as much as the store itself.
        self.__dict__["writebarrierptr"] = writebarrierptr

    def senddirect(self, slot: int, value: int) -> None:
        """A send into the stack of a blocked goroutine."""
        self.stores.append((perf_counter_ns(), slot * WORD, value, True))
        super().senddirect(slot, value)


AnyM = TypeVar("AnyM", bound=Writebarrier)


def storing(m: type[AnyM]) -> type[AnyM]:
    """The class `m`, remembering: on top of it, so that no fault planted in its barrier hides a store."""
    return type(m.__name__, (Storing, m), {})
