"""The flight recorder: every thread's last events in a ring of its own, and counters over all of them.

Theory of operation.  `Recorder.listen(port)` makes the listener of one thread: it appends (clock, kind, a, b, c) to a
bounded deque and counts.  Nothing is shared between threads while they run, nothing is formatted, nothing locked; the
rings are read when the world is stopped, when the run is over or when it has failed.

A buffer has migrated when the M that gets it is not the M that last put it on a list.  To find that out, a thread remembers
the push count of each buffer that it put; if the count is another one when it gets the buffer, another M has pushed it.

Relied on.  An event is sent by the thread that owns the buffer it names, so the words read here are its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from operator import itemgetter
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

from workbuf.events import FULL, PARTIAL, Event
from workbuf.lfstack import PUSHCNT


if TYPE_CHECKING:
    from workbuf.machine import Listener, Port


class Record(NamedTuple):
    """One event: when (ns), which thread, what; `workbuf.events.FIELDS` names a, b and c."""

    time: int
    thread: int
    kind: int
    a: int
    b: int
    c: int


@dataclass
class Ring:
    """One thread's recording."""

    name: str
    events: deque[tuple[int, int, int, int, int]]
    counts: list[int] = field(default_factory=lambda: [0] * (max(Event) + 1))
    migrations: int = 0
    """Buffers got that another M put."""
    steals: int = 0
    """Those of them that came with work, off full or partial."""
    laden: int = 0
    """Buffers got with work, whoever put them."""
    nwait_max: int = 0
    dropped: int = 0
    """Events that had fallen out of the ring when it was drained last."""
    told: int = 0
    """Of those, as many as an event LOST has told of."""
    drained: int = 0
    """Events that were drained."""


@dataclass(frozen=True)
class Tally:
    """What Ms have counted since the run began."""

    cas_attempts: int = 0
    cas_failures: int = 0
    migrations: int = 0


class Recorder:
    """All rings of a run.  `capacity` is events a thread keeps."""

    def __init__(self, capacity: int = 1 << 14) -> None:
        self.capacity = capacity
        self.rings: dict[int, Ring] = {}

    def listen(self, port: Port) -> Listener:
        """The listener of the thread that `port` belongs to."""
        ring = Ring(port.name, deque(maxlen=self.capacity))
        self.rings[port.index] = ring
        append, counts, clock, words = ring.events.append, ring.counts, perf_counter_ns, port.words
        left: dict[int, int] = {}
        get, put, wait = int(Event.GET), int(Event.PUT), int(Event.WAIT)

        def listener(kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
            append((clock(), kind, a, b, c))
            counts[kind] += 1
            if kind == get:
                count = words[a + PUSHCNT]
                laden = c in (FULL, PARTIAL)
                ring.laden += laden
                if count and left.get(a) != count:
                    ring.migrations += 1
                    ring.steals += laden
            elif kind == put:
                left[a] = words[a + PUSHCNT] + 1
            elif kind == wait and a > ring.nwait_max:
                ring.nwait_max = a

        return listener

    def total(self, kind: Event) -> int:
        """How many events of that kind there were, in all threads."""
        return sum(ring.counts[kind] for ring in self.rings.values())

    @property
    def migrations(self) -> int:
        """Buffers got that another M had put, in all threads."""
        return sum(ring.migrations for ring in self.rings.values())

    @property
    def steals(self) -> int:
        """Those of them that came with work."""
        return sum(ring.steals for ring in self.rings.values())

    @property
    def laden(self) -> int:
        """Buffers got with work, in all threads."""
        return sum(ring.laden for ring in self.rings.values())

    @property
    def nwait_max(self) -> int:
        """The most threads that waited in getfull at once."""
        return max((ring.nwait_max for ring in self.rings.values()), default=0)

    @property
    def dropped(self) -> int:
        """Events that had fallen out of the rings when they were drained last."""
        return sum(ring.dropped for ring in self.rings.values())

    def drain(self) -> list[Record]:
        """What the rings hold now, by time, taken out of them; counts what has fallen out.

        Ms without a P write on while the world is stopped.  So each event is taken by an operation of its own; a full ring
        loses one only where it gains one, and what comes in meanwhile stays for the next time.  Where events have fallen
        out of a ring, an event LOST stands before the oldest that is left.
        """
        records = []
        for thread, ring in self.rings.items():
            take = ring.events.popleft
            # Before the taking: what falls out meanwhile is younger than what is taken, and is said the next time.
            lost = sum(ring.counts) - ring.drained - len(ring.events)
            # At most what the ring holds: without a GIL a full one may be seen with the event that it is about to push out.
            taken = [take() for _ in range(min(len(ring.events), self.capacity))]
            ring.drained += len(taken)
            ring.dropped = max(sum(ring.counts) - ring.drained - len(ring.events), 0)
            if taken and lost > ring.told:
                records.append(Record(taken[0][0], thread, Event.LOST, lost - ring.told, 0, 0))
                ring.told = lost
            records += [Record(event[0], thread, *event[1:]) for event in taken]
        records.sort(key=itemgetter(0))  # by time only: a thread's own stay in order, should two of them have one time
        return records
