"""Scenario: a reader-writer lock that loses a wake-up.  (S28; Go's issue 20738, go-weave's rwmutex.go.)

A writer subtracts a large number from the count of readers, so that new ones wait, and sleeps until those that are
inside have left; the last of them wakes it.  If the writer decides to wait and registers itself in two steps, the last
reader may look for a waiting writer in between, find none, and leave; the writer sleeps for ever.  Go's fix takes the
readers' lock around both.

Modelled.  The runtime's lock on Ms, notes for sleeping; writers exclude each other by a mutex.  Not modelled.  A reader
that is descheduled while it holds the lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant
from workbuf.layout import Struct


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

RW = Struct("rw", "rlock", "wlock", "readercount", "readerwait", "readerpass", "writer", "waiting", "inside", "writing")
"""`writer` is the note of a writer that waits, `waiting` how many readers sleep; `inside` and `writing` check the lock."""
WRITERS = 1 << 30
"""What a writer subtracts."""


class Rwmutex:
    """One M at the lock; `notes` are where Ms sleep, this M's is `notes + number`."""

    def __init__(self, port: Port, rw: int, notes: int, number: int) -> None:
        self.port = port
        self.rw = rw
        self.notes = notes
        self.number = number

    def sleep(self) -> None:
        """On this M's note, which is cleared then."""
        note = self.notes + self.number
        self.port.sleep(note)
        self.port.words[note] = 0

    def rlock(self) -> None:
        """Enter as a reader."""
        port, rw = self.port, self.rw
        if port.xadd(rw + RW.readercount, 1) >> 63:
            port.lock(rw + RW.rlock)
            if port.words[rw + RW.readerpass]:
                port.words[rw + RW.readerpass] -= 1
                port.unlock(rw + RW.rlock)
            else:
                port.words[rw + RW.waiting] |= 1 << self.number
                port.unlock(rw + RW.rlock)
                self.sleep()

    def runlock(self) -> None:
        """Leave; the last whom a writer waits for wakes it."""
        port, rw = self.port, self.rw
        if port.xadd(rw + RW.readercount, -1) >> 63 and port.xadd(rw + RW.readerwait, -1) == 0:
            port.lock(rw + RW.rlock)
            writer = port.words[rw + RW.writer]
            if writer:
                port.wake(writer)
            port.unlock(rw + RW.rlock)

    def lock(self) -> None:
        """Enter as the writer."""
        port, rw = self.port, self.rw
        port.lock(rw + RW.wlock)
        readers = port.xadd(rw + RW.readercount, -WRITERS) + WRITERS & (1 << 64) - 1
        self.awaitreaders(readers)

    def awaitreaders(self, readers: int) -> None:
        """Wait for those that are inside; under the readers' lock from the decision to the registration."""
        port, rw = self.port, self.rw
        port.lock(rw + RW.rlock)
        wait = readers != 0 and port.xadd(rw + RW.readerwait, readers) != 0
        if wait:
            port.words[rw + RW.writer] = self.notes + self.number
        port.unlock(rw + RW.rlock)
        if wait:
            self.sleep()

    def unlock(self) -> None:
        """Leave; let in the readers that have come meanwhile."""
        port, words, rw = self.port, self.port.words, self.rw
        readers = port.xadd(rw + RW.readercount, WRITERS)
        port.lock(rw + RW.rlock)
        words[rw + RW.writer] = 0
        asleep = words[rw + RW.waiting]
        words[rw + RW.waiting] = 0
        for number in range(asleep.bit_length()):
            if asleep >> number & 1:
                port.wake(self.notes + number)
        words[rw + RW.readerpass] += readers - asleep.bit_count()
        port.unlock(rw + RW.rlock)
        port.unlock(rw + RW.wlock)


class Late(Rwmutex):
    """Registers after the decision."""

    def awaitreaders(self, readers: int) -> None:
        """The lock is taken for the registration only."""
        port, rw = self.port, self.rw
        if readers != 0 and port.xadd(rw + RW.readerwait, readers) != 0:
            port.lock(rw + RW.rlock)
            port.words[rw + RW.writer] = self.notes + self.number
            port.unlock(rw + RW.rlock)
            self.sleep()


def locked(kind: type[Rwmutex], writers: int, readers: int) -> Program:
    """Each enters and leaves once."""

    def program(machine: SteppedMachine) -> None:
        rw = RW.allocate(machine, "rw")
        notes = machine.alloc(writers + readers, "notes")

        def writes(port: Port, number: int) -> None:
            me = kind(port, rw, notes, number)
            me.lock()
            assert port.xadd(rw + RW.writing, 1) == 1, "two writers are inside"
            assert port.load(rw + RW.inside) == 0, "a reader is inside with a writer"
            port.xadd(rw + RW.writing, -1)
            me.unlock()

        def reads(port: Port, number: int) -> None:
            me = kind(port, rw, notes, number)
            me.rlock()
            port.xadd(rw + RW.inside, 1)
            assert port.load(rw + RW.writing) == 0, "a writer is inside with a reader"
            port.xadd(rw + RW.inside, -1)
            me.runlock()

        for number in range(writers):
            machine.spawn(lambda port, number=number: writes(port, number), f"writer{number}")  # type: ignore[misc]
        for number in range(writers, writers + readers):
            machine.spawn(lambda port, number=number: reads(port, number), f"reader{number - writers}")  # type: ignore[misc]

    return program


SCENARIO = Scenario(
    name="rwmutex",
    title="A reader-writer lock loses a wake-up, and its writer sleeps for ever",
    bugs=("S28",),
    variants={
        "failing": Variant(locked(Late, 1, 1), fails="sleeps on"),
        "failing22": Variant(locked(Late, 2, 2), fails="sleeps on", exhaustible=False),
        "fixed": Variant(locked(Rwmutex, 1, 1)),
        "fixed12": Variant(locked(Rwmutex, 1, 2), exhaustible=False),
        "fixed22": Variant(locked(Rwmutex, 2, 2), exhaustible=False),
    },
    originals={"failing22": (4263, 100_000), "fixed22": (0, 100_000)},
)
