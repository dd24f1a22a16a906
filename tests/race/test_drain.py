"""Draining by two participants that hand work over, every interleaving.  (Go: drainworkbuf, handoff.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.fixtures.draining import ENTRIES, draining
from collector.runtime import CollectorM
from workbuf.buffer import NOBJ, OBJ


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine

    Check = Callable[[], object] | None


@pytest.mark.race(exhaust=True)
def test_drain(machine: SteppedMachine) -> Check:
    """Whether half of it is handed over or not, every entry is scanned once and all buffers end on empty."""
    return draining(CollectorM)(machine)


class Splitting(CollectorM):
    """Says when it hands half of a buffer over."""

    def handoff(self, b: int) -> int:
        raise AssertionError(f"half is handed over of {b}")


@pytest.mark.race(strategy="dpor", fails="half is handed over")
def test_handed_over(machine: SteppedMachine) -> Check:
    """Among these schedules are some in which half is handed over: what the other test exhausts includes that."""
    return draining(Splitting)(machine)


class Keeping(CollectorM):
    """A handoff that gives half of the entries away and keeps them as well."""

    def handoff(self, b: int) -> int:
        b1 = super().handoff(b)
        words = self.port.words
        for i in range(3):
            words[b1 + OBJ + i] = words[b + OBJ + i]
        words[b1 + NOBJ] = ENTRIES
        return b1


@pytest.mark.race(strategy="dpor", races=False, fails="not every entry was scanned once")
def test_keeping(machine: SteppedMachine) -> Check:
    """Entries that are handed over and kept are scanned twice."""
    return draining(Keeping)(machine)
