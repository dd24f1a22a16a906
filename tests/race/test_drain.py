"""Draining by two participants that hand work over.  (Go: drainworkbuf, handoff.)

What is drained are entries that lead nowhere: scanning one notes it and takes no step, so that what is explored is the
buffers' way between the two.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.audit import buffers
from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.runtime import CollectorM
from mutator.phase import GCmarktermination
from workbuf.boot import BootWords
from workbuf.buffer import NOBJ, OBJ
from workbuf.local import WORK


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from workbuf.machine import Port

    Check = Callable[[], object]

ENTRIES = 5
"""As many as the smallest buffer holds, and enough for half of them to be given away."""


class Noting(CollectorM):
    """Scans by noting what it scanned."""

    def scanobject(self, b: int, wbuf: int) -> int:
        """Nothing is found."""
        self.noted.append(b)
        return wbuf

    noted: list[int]


def drain(machine: SteppedMachine, m: type[Noting]) -> Check:
    """One participant begins with a buffer of five entries and one with an empty one; both drain all there is."""
    small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
    world, model = small.world, small.model
    records = [model.gcm, *model.helpers]
    small.stopped()
    machine.poke(world.gcphase, GCmarktermination)
    machine.poke(world.work + WORK.nproc, len(records))
    held = [small.boot.getempty(460) for _ in records]
    spare = small.boot.getempty(460)
    small.boot.putempty(spare, 496)
    entries = list(range(100, 100 + ENTRIES))
    for i, entry in enumerate(entries):
        machine.poke(held[0] + OBJ + i, entry)
    machine.poke(held[0] + NOBJ, ENTRIES)
    show(machine, world, "full", "empty")
    noted: list[list[int]] = [[] for _ in records]

    def participant(number: int) -> Callable[[Port], None]:
        def body(port: Port) -> None:
            me = m(port, world, records[number])
            me.noted = noted[number]
            me.drainworkbuf(held[number], all=True)

        return body

    machine.spawn(participant(0), "master")
    machine.spawn(participant(1), "helper")

    def check() -> None:
        words = BootWords(machine)
        buffers.checkdrained(buffers.check(world, words, small.boot.allms()), words)
        assert sorted(noted[0] + noted[1]) == entries, "not every entry was scanned once"

    return check


@pytest.mark.race(exhaust=True)
def test_drain(machine: SteppedMachine) -> Check:
    """Whether half of it is handed over or not, every entry is scanned once and all buffers end on empty."""
    return drain(machine, Noting)


class Splitting(Noting):
    """Says when it hands half of a buffer over."""

    def handoff(self, b: int) -> int:
        raise AssertionError(f"half is handed over of {b}")


@pytest.mark.race(strategy="dpor", fails="half is handed over")
def test_handed_over(machine: SteppedMachine) -> Check:
    """Among these schedules are some in which half is handed over: what the other test exhausts includes that."""
    return drain(machine, Splitting)


class Keeping(Noting):
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
    return drain(machine, Keeping)
