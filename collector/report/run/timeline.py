"""A timeline for ui.perfetto.dev and chrome://tracing: the Chrome trace event format, JSON.

A track per thread, with slices under the names that users of `go tool trace` know, and one for the phases; counters for
the lists, the barrier and the colours of the objects; an arrow from each put of a buffer on full or partial to the get that
took it.

Theory of operation.  Slices come from pairs of events (`PAIRS`), and nest on a thread because the protocol's do; what is
open when the recording ends is closed there, what ends without having begun (its beginning fell out of the ring) is left
out.  The stops of the world are slices of the collector's thread, named by which stop of the cycle they are.  A phase
begins in one stop and ends in another, so it would not nest there: the phases have a track of their own.

The counter `scanned` is how many objects the cycle has blackened by scanning them: each drain, assist and helper says so
when it ends, so it rises in steps.  An object without pointers is black without being scanned, and is not in it.

White, grey and black are not told by events: `Painter` looks at the heap now and then (report/colours.py), for a twentieth
of the time at most.

Not modelled.  Perfetto's own protobuf: JSON is what every viewer of this family reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import perf_counter_ns, thread_time_ns
from typing import TYPE_CHECKING, Any

from mutator.phase import GCmark, GCmarktermination, GCscan
from workbuf.entry import decode
from workbuf.events import EMPTY, FIELDS, FULL, LIST_NAMES, PARTIAL, Event


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from collector.report.run.colours import Colours
    from workbuf.recorder import Record

PID = 1
FIRST_TID = 1
"""Of thread 0: a track numbered 0 is the idle thread's to Perfetto, whatever its name."""
US = 1000.0
PAIRS: dict[Event, tuple[tuple[Event, ...], str]] = {
    Event.CYCLE: ((Event.CYCLE_END,), "GC cycle"),
    Event.ASSIST: ((Event.ASSIST_END,), "GC mark assist"),
    Event.HELP: ((Event.HELP_END,), "GC (dedicated)"),
    Event.DRAIN: ((Event.DRAIN_END,), "drain"),
    Event.WAIT: ((Event.RESUME, Event.REACHED), "getfull: waiting"),
    Event.PARK: ((Event.UNPARK,), "stopped"),
    Event.SYSCALL: ((Event.SYSCALL_END,), "syscall"),
    Event.BLOCK: ((Event.BLOCK_END,), "blocked on a channel"),
}
"""What begins a slice, what ends it, and its name."""
INSTANTS = (Event.HANDOFF, Event.HARVESTED, Event.ROOT, Event.STEAL, Event.SCANSTACK)
ENDS = {end: begin for begin, (ends, _) in PAIRS.items() for end in ends}
SCANNING = (Event.DRAIN, Event.ASSIST, Event.HELP)
"""Slices whose ends say how many objects were scanned in them; the outermost one's number holds the others'."""
STOPS = ("stop-the-world (GC sweep termination)", "stop-the-world (GC install write barrier)")
SHARE = 20
"""Looking at the heap takes a twentieth of the time at most: of the processor's, so that others in its way do not count."""
LAST_STOP = "stop-the-world (GC mark termination)"
PHASES_TRACK = "GC phases"
PHASES = {GCscan: "GC scan phase", GCmark: "GC concurrent mark phase", GCmarktermination: "GC mark termination"}


@dataclass
class Timeline:
    """Trace events collected from records, a cycle's at a time.  `bufname` turns a buffer's cell into its name."""

    threads: list[str]
    bufname: Callable[[int], str]
    events: list[dict[str, Any]] = field(default_factory=list)
    start: int = 0
    open: dict[int, list[tuple[Event, str]]] = field(default_factory=dict)
    """Slices that are open on each thread, outermost first."""
    depth: dict[int, int] = field(default_factory=lambda: {EMPTY: 0, PARTIAL: 0, FULL: 0})
    put: dict[int, tuple[int, float, int]] = field(default_factory=dict)
    """The last put of each buffer on full or partial: (flow's number, when, thread)."""
    flows: int = 0
    stops: int = 0
    nwait: int = 0
    last: float = 0.0
    phase: str = ""
    """The phase that is open on the phases' track."""
    painted: list[tuple[int, Colours]] = field(default_factory=list)
    """What the objects' colours were, and when (ns)."""
    scanned: int = 0
    """Objects scanned in this cycle, in slices that have ended."""

    def __post_init__(self) -> None:
        self.events.append({"ph": "M", "pid": PID, "tid": 0, "name": "process_name", "args": {"name": "workbuf-model"}})
        self.phases = len(self.threads)
        """The phases' track, as a thread behind the last."""
        for number, name in enumerate((*self.threads, PHASES_TRACK), FIRST_TID):
            order = 0 if name == PHASES_TRACK else number
            self.events.append({"ph": "M", "pid": PID, "tid": number, "name": "thread_name", "args": {"name": name}})
            self.events.append(
                {"ph": "M", "pid": PID, "tid": number, "name": "thread_sort_index", "args": {"sort_index": order}}
            )

    def add(self, records: Iterable[Record]) -> None:
        """Take further records, by time."""
        for record in records:
            self.start = self.start or record.time
            ts = self.last = (record.time - self.start) / US
            self._one(Event(record.kind), record, ts)

    def _one(self, kind: Event, record: Record, ts: float) -> None:
        if kind in ENDS:
            begun = self._end(record.thread, ENDS[kind], ts)
            if begun and ENDS[kind] in SCANNING:
                self._scanned(record, ts)
        if kind in (Event.STOP, Event.START, Event.PHASE, Event.CYCLE):
            self._world(kind, record, ts)
        if kind in PAIRS:
            idle = kind == Event.PARK and record.a == 0
            self._begin(record.thread, kind, "idle" if idle else PAIRS[kind][1], ts)
        elif kind in (Event.GET, Event.PUT):
            self._handover(kind, record, ts)
        elif kind in INSTANTS:
            named = zip(FIELDS[kind], (record.a, record.b, record.c), strict=True)
            args = {name: self.bufname(value) if name == "buffer" else value for name, value in named if name}
            self._event("i", record.thread, kind.name.lower(), ts, s="t", args=args)
        if kind in (Event.WAIT, Event.RESUME):
            self._counter("nwait", ts, waiting=record.a)
        elif kind == Event.REACHED:
            self._counter("nwait", ts, waiting=0)

    def _world(self, kind: Event, record: Record, ts: float) -> None:
        """The collector's stops and phases."""
        thread = record.thread
        if kind == Event.CYCLE:
            self.stops = self.scanned = 0
            self._counter("scanned", ts, objects=0)
        elif kind == Event.STOP:
            name = STOPS[self.stops] if self.stops < len(STOPS) else LAST_STOP
            self.stops += 1
            waited = [other for number, other in enumerate(self.threads) if record.b >> number & 1]
            self._begin(thread, Event.STOP, name, ts, {"waited for": ", ".join(waited) or "nobody"})
        elif kind == Event.START:
            self._end(thread, Event.STOP, ts)
        elif kind == Event.PHASE:
            self._enter(PHASES.get(record.a, ""), ts)

    def _enter(self, phase: str, ts: float) -> None:
        """Another phase, or none."""
        if self.phase:
            self._event("E", self.phases, self.phase, ts)
        if phase:
            self._event("B", self.phases, phase, ts)
        self.phase = phase

    def _handover(self, kind: Event, record: Record, ts: float) -> None:
        """A buffer on or off a list: the list's depth, and the arrow of a flow."""
        place = record.c
        self.depth[place] += 1 if kind == Event.PUT else -1
        self._counter("lists", ts, **{LIST_NAMES[at]: max(n, 0) for at, n in self.depth.items() if at != EMPTY})
        name = self.bufname(record.a)
        # A slice of no length for the arrow to end on.
        what = f"{kind.name.lower()} {LIST_NAMES[place]}"
        args = {"buffer": name, "entry": str(decode(record.b))}
        self._event("X", record.thread, what, ts, dur=0.0, args=args)
        if place == EMPTY:
            return
        if kind == Event.PUT:
            self.flows += 1
            self.put[record.a] = (self.flows, ts, record.thread)
        elif record.a in self.put:
            flow, when, thread = self.put.pop(record.a)
            self._event("s", thread, "buffer", when, cat="buffer", id=flow)
            self._event("f", record.thread, "buffer", ts, cat="buffer", id=flow, bp="e")

    def _scanned(self, record: Record, ts: float) -> None:
        """A slice has ended in which objects were scanned."""
        if not any(kind in SCANNING for kind, _ in self.open[record.thread]):
            self.scanned += record.a
            self._counter("scanned", ts, objects=self.scanned)

    def _begin(self, thread: int, kind: Event, name: str, ts: float, args: dict[str, str] | None = None) -> None:
        self.open.setdefault(thread, []).append((kind, name))
        self._event("B", thread, name, ts, args=args or {})

    def _end(self, thread: int, kind: Event, ts: float) -> bool:
        """Close the innermost slice that `kind` began, and whatever is open inside it; False: its beginning is missing."""
        stack = self.open.get(thread, [])
        if kind not in (begun for begun, _ in stack):
            return False
        while True:
            begun, name = stack.pop()
            self._event("E", thread, name, ts)
            if begun == kind:
                return True

    def _counter(self, name: str, ts: float, **series: int) -> None:
        self.events.append({"ph": "C", "pid": PID, "tid": 0, "name": name, "ts": ts, "args": series})

    def _event(self, ph: str, thread: int, name: str, ts: float, **more: Any) -> None:  # noqa: ANN401  JSON values
        self.events.append({"ph": ph, "pid": PID, "tid": thread + FIRST_TID, "name": name, "ts": ts, **more})

    def finish(self, other: dict[str, Any]) -> dict[str, Any]:
        """The whole trace, open slices closed; `other` is kept beside the events."""
        # Later than what began last: of two events at one time Perfetto takes the end first, and never closes the slice.
        end = self.last + 1 / US
        for thread, stack in self.open.items():
            for _, name in reversed(stack):
                self._event("E", thread, name, end)
            stack.clear()
        self._enter("", end)
        for time, colours in self.painted:
            if time >= self.start:
                self._counter("objects", (time - self.start) / US, **colours._asdict())
        self.painted.clear()
        return {"traceEvents": self.events, "displayTimeUnit": "ns", "otherData": other}

    def write(self, path: Path, other: dict[str, Any]) -> None:
        """Write it to `path`; raises OSError."""
        with path.open("w", encoding="utf-8") as file:
            json.dump(self.finish(other), file)


@dataclass
class Painter:
    """Adds the objects' colours to a timeline, each time it is called, but for no more than a SHARE of the time."""

    timeline: Timeline
    look: Callable[[], Colours]
    next: int = 0

    def __call__(self) -> None:
        """Look, if it is time to."""
        if perf_counter_ns() >= self.next:
            began = thread_time_ns()
            seen = self.look()
            done = perf_counter_ns()
            self.timeline.painted.append((done, seen))
            self.next = done + (thread_time_ns() - began) * SHARE
