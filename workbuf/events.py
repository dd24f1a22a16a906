"""The events that the protocol sends: their kinds, the fields of each kind, and a decoder for them.

Theory of operation.  The protocol reports what it does through `port.event(kind, a, b, c)`: four small integers.  By
default nobody listens (`null`).  Flight recorder, log, timeline, counters, the gctrace line and the pages all read events
by this one table.  An event is sent by the thread that acts, while it still owns the buffer: a put is sent before the
push, a get after the pop.  So by the clock every buffer's puts and gets alternate.  In the same way `start` is sent before
the first M is woken, and `roots`, which opens the termination barrier, before the first helper is.

A `Reader` decodes the four numbers: buffers, lists and phases become names, entry numbers become records.

Relied on.  A listener neither blocks nor logs: one log call after a race window cut the visible races a hundredfold.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from workbuf.entry import Entry, decode


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Event(IntEnum):
    """What happened; `FIELDS` names the three numbers that come with each."""

    # A buffer changes hands.
    NEW = 1
    GET = 2
    PUT = 3
    CACHED = 4
    UNCACHED = 5
    HARVESTED = 6
    HANDOFF = 7
    # The termination barrier.
    WAIT = 10
    RESUME = 11
    REACHED = 12
    # The cycle.
    CYCLE = 20
    PHASE = 21
    STOP = 22
    STOPPED = 23
    START = 24
    ROOT = 25
    STEAL = 26
    CYCLE_END = 27
    ROOTS = 28
    # What an M is doing.
    ASSIST = 30
    ASSIST_END = 31
    SCANSTACK = 32
    PARK = 34
    UNPARK = 35
    SYSCALL = 36
    SYSCALL_END = 37
    HELP = 38
    HELP_END = 39
    BLOCK = 40
    BLOCK_END = 41
    DRAIN = 42
    DRAIN_END = 43
    # The recording itself.
    LOST = 50


class Fields(NamedTuple):
    """Names of an event's three numbers; an empty name is unused."""

    a: str = ""
    b: str = ""
    c: str = ""


FIELDS = {
    Event.NEW: Fields("buffer", "number"),
    Event.GET: Fields("buffer", "entry", "list"),
    Event.PUT: Fields("buffer", "entry", "list"),
    Event.CACHED: Fields("buffer"),
    Event.UNCACHED: Fields("buffer"),
    Event.HARVESTED: Fields("buffer", "owner", "nobj"),
    Event.HANDOFF: Fields("buffer", "kept", "moved"),
    Event.WAIT: Fields("nwait"),
    Event.RESUME: Fields("nwait", "turns"),
    Event.REACHED: Fields("turns"),
    Event.CYCLE: Fields("number", "forced"),
    Event.PHASE: Fields("phase", "before"),
    Event.STOP: Fields("waiting", "waitedfor"),
    Event.STOPPED: Fields("preempted"),
    Event.START: Fields(),
    Event.ROOT: Fields("index"),
    Event.STEAL: Fields("share", "jobs"),
    Event.CYCLE_END: Fields("number"),
    Event.ROOTS: Fields("jobs", "nproc"),
    Event.ASSIST: Fields("phase"),
    Event.ASSIST_END: Fields("scanned"),
    Event.SCANSTACK: Fields("goroutine", "frames"),
    Event.PARK: Fields("gcwaiting"),
    Event.UNPARK: Fields(),
    Event.SYSCALL: Fields(),
    Event.SYSCALL_END: Fields("blocked"),
    Event.HELP: Fields("helper"),
    Event.HELP_END: Fields("scanned"),
    Event.BLOCK: Fields("goroutine", "reason"),
    Event.BLOCK_END: Fields("goroutine"),
    Event.DRAIN: Fields("all"),
    Event.DRAIN_END: Fields("scanned"),
    Event.LOST: Fields("count"),
}

EMPTY, PARTIAL, FULL = 1, 2, 3
"""Values of the field `list`.  `waitedfor` is a set of Ps, and so of the threads that own them: bit n is number n."""
LIST_NAMES = {EMPTY: "empty", PARTIAL: "partial", FULL: "full"}
PHASE_NAMES = ("off", "quiesce", "stw", "scan", "mark", "marktermination", "sweep")
"""Names of the values of the fields `phase` and `before`.  (The numbers: mutator.phase.)"""
OF_BUFFERS = frozenset(kind for kind, fields in FIELDS.items() if fields.a == "buffer")
"""Events that name a buffer, as their first number."""


class Happening(NamedTuple):
    """An event that was read."""

    kind: Event
    fields: dict[str, Any]
    """By the names in `FIELDS`: `buffer`, `list`, `phase`, `before` are names, `entry` an Entry, `waitedfor` threads."""

    @property
    def name(self) -> str:
        """As logs and traces have it: `get`, `cycle_end`."""
        return self.kind.name.lower()

    @property
    def plain(self) -> dict[str, Any]:
        """The fields as JSON has them: an entry number is a number."""
        return {name: value.number if isinstance(value, Entry) else value for name, value in self.fields.items()}


class Reader:
    """Reads events.  `bufname` turns a buffer's cell into its name, `threads` are the threads' names by number."""

    def __init__(self, bufname: Callable[[int], str], threads: Sequence[str]) -> None:
        self.threads = threads
        means: dict[str, Callable[[int], Any]] = {
            "buffer": bufname,
            "entry": decode,
            "list": lambda v: LIST_NAMES.get(v, v),
            "phase": phasename,
            "before": phasename,
            "waitedfor": lambda v: [thread for number, thread in enumerate(self.threads) if v >> number & 1],
        }
        self._fields: dict[int, tuple[Event, list[tuple[str, Callable[[int], Any]]]]] = {
            event: (event, [(name, means.get(name, int)) for name in names if name]) for event, names in FIELDS.items()
        }

    def read(self, kind: int, *numbers: int) -> Happening:
        """What an event's kind and three numbers say.  A number that means nothing stays one."""
        event, fields = self._fields[kind]
        return Happening(event, {name: means(v) for (name, means), v in zip(fields, numbers, strict=False)})


def phasename(phase: int) -> str | int:
    """A phase by its name."""
    return PHASE_NAMES[phase] if phase < len(PHASE_NAMES) else phase


def null(kind: int, a: int = 0, b: int = 0, c: int = 0, /) -> None:
    """The listener that does nothing."""
