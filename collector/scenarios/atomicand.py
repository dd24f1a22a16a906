"""Scenario: an atomic AND that is none against an atomic OR of the same byte.  (K-27; 631d6a33bf.)

Two objects' bits share a byte.  A marker sets one by an atomic OR.  atomicand8 took a lock and did a plain read and
write: what the OR did in between is lost, a mark with it, and a live object is freed.  Go made it one instruction; here,
a compare-and-swap that tries again.

Modelled.  One word, one thread that sets a bit of it, one that clears another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

MARK, OTHER = 1, 2


def locked(port: Port, cell: int, lock: int, mask: int) -> None:
    """The AND as it was: the lock keeps other ANDs out."""
    port.lock(lock)
    port.store(cell, port.load(cell) & mask)
    port.unlock(lock)


def swapped(port: Port, cell: int, _lock: int, mask: int) -> None:
    """The AND as it should be."""
    while True:
        old = port.load(cell)
        if port.cas(cell, old, old & mask):
            return
        port.check()


def bits(atomicand8: Callable[[Port, int, int, int], None]) -> Program:
    """A marker marks one object while the other's bit is cleared."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        cell, lock = machine.word(OTHER, "bits"), machine.word(0, "lock")
        machine.spawn(lambda port: port.or8(cell * 8, MARK), "marker")
        machine.spawn(lambda port: atomicand8(port, cell, lock, ~OTHER), "clearer")

        def check() -> None:
            assert machine.peek(cell) == MARK, "a mark is lost"

        return check

    return program


SCENARIO = Scenario(
    name="atomicand",
    title="An atomic AND that is a read and a write loses a mark",
    bugs=("K-27",),
    variants={"failing": Variant(bits(locked), fails="a mark is lost"), "fixed": Variant(bits(swapped))},
)
