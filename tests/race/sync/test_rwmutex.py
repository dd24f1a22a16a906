"""Reader-writer lock: readers together, a writer alone, and nobody sleeps for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.sync.rwmutex import READERS, RWMutex
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from workbuf.machine import Port


class GoesAhead(RWMutex):
    """Planted: a writer does not wait for the readers who are there."""

    def lock(self, port: Port) -> None:
        self.mutex.lock(port)
        port.xadd(self.readers, -READERS)


class SleepsAnyhow(RWMutex):
    """Planted: a writer sleeps if it saw readers, although they may have left before it has added them up."""

    def lock(self, port: Port) -> None:
        self.mutex.lock(port)
        there = port.xadd(self.readers, -READERS) + READERS & MASK64
        if there:
            port.xadd(self.departing, there)
            self.writersema.acquire(port)


def shared(machine: SteppedMachine, rw: RWMutex, readers: int, writers: int) -> None:
    """Writers write two plain words, readers read them."""
    x, y = machine.word(0, "x"), machine.word(0, "y")

    def reads(port: Port) -> None:
        rw.rlock(port)
        assert port.words[x] == port.words[y], "a reader sees half of what a writer has done"
        rw.runlock(port)

    def writes(port: Port) -> None:
        rw.lock(port)
        port.words[x] += 1
        port.words[y] += 1
        rw.unlock(port)

    for k in range(readers):
        machine.spawn(reads, f"reader {k}")
    for k in range(writers):
        machine.spawn(writes, f"writer {k}")


@pytest.mark.race(exhaust=True)
@pytest.mark.parametrize(("readers", "writers"), [(1, 1), (0, 2)])
def test_a_writer_is_alone(machine: SteppedMachine, readers: int, writers: int) -> None:
    """No plain access races, and everybody comes to an end."""
    shared(machine, RWMutex(machine, threads=2), readers, writers)


@pytest.mark.race(schedules=300)
def test_two_readers_and_two_writers(machine: SteppedMachine) -> None:
    """The same of more threads, sampled."""
    shared(machine, RWMutex(machine, threads=4), 2, 2)


@pytest.mark.race(exhaust=True)
def test_readers_read_together(machine: SteppedMachine) -> None:
    """Each waits within for the other to be within."""
    rw, within = RWMutex(machine, threads=2), machine.alloc(2, "within")

    def reads(port: Port) -> None:
        rw.rlock(port)
        port.wake(within + port.index)
        port.sleep(within + 1 - port.index)
        rw.runlock(port)

    machine.spawn(reads)
    machine.spawn(reads)


@pytest.mark.race(fails="race")
def test_a_writer_that_goes_ahead(machine: SteppedMachine) -> None:
    """It writes while a reader reads."""
    shared(machine, GoesAhead(machine, threads=2), 1, 1)


@pytest.mark.race(fails="sleeps on rw.writersema")
def test_a_writer_that_sleeps_anyhow(machine: SteppedMachine) -> None:
    """The last reader was gone already, and wakes nobody."""
    shared(machine, SleepsAnyhow(machine, threads=2), 1, 1)
