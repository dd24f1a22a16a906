"""The timeline of a run for ui.perfetto.dev and chrome://tracing, in the Chrome trace event format (JSON).

A track per thread, with slices under the names that users of `go tool trace` know, and one for the phases; counters for
the lists, the barrier and the colours of the objects; an arrow from each put of a buffer on full or partial to the get that
took it.

Slices come from pairs of events (`PAIRS`), and nest on a thread because the protocol's do; what is open when the
recording ends is closed there, what ends without having begun (its beginning fell out of the ring) is left out.  The
stops of the world are slices of the collector's thread, named by which stop of the cycle they are.  A phase begins in
one stop and ends in another, so it would not nest there: the phases have a track of their own.

The counter `scanned` is how many objects the cycle has blackened by scanning them: each drain, assist and helper says so
when it ends, so it rises in steps.  An object without pointers is black without being scanned, and is not in it.

No event says what is white, grey or black: `ColourCounter` counts objects now and then (report/run/colours.py), for a
twentieth of the time at most.

The format is JSON and not Perfetto's own protobuf, because every viewer of this family reads it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain, repeat
from time import perf_counter_ns, thread_time_ns
from typing import TYPE_CHECKING, Any, BinaryIO

from mutator.phase import GCmark, GCmarktermination, GCscan
from workbuf.events import EMPTY, LIST_NAMES, PHASE_NAMES, Event, Reader


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.report.run.colours import Colours
    from workbuf.events import Happening
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
"""Share of the run's time that counting objects may take; in processor time, so that other processes do not count."""
LAST_STOP = "stop-the-world (GC mark termination)"
PHASES_TRACK = "GC phases"
PHASES = {
    PHASE_NAMES[GCscan]: "GC scan phase",
    PHASE_NAMES[GCmark]: "GC concurrent mark phase",
    PHASE_NAMES[GCmarktermination]: "GC mark termination",
}


@dataclass
class Timeline:
    """Trace events collected from records, a cycle's at a time.  `bufname` turns a buffer's cell into its name."""

    threads: list[str]
    bufname: Callable[[int], str]
    events: list[dict[str, Any]] = field(default_factory=list)
    start: int = 0
    open: dict[int, list[tuple[Event, str]]] = field(default_factory=dict)
    """Slices that are open on each thread, outermost first."""
    depth: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LIST_NAMES.values(), 0))
    put: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    """The last put of each buffer on full or partial: (flow's number, when, thread)."""
    flows: int = 0
    stops: int = 0
    nwait: int = 0
    last: float = 0.0
    phase: str = ""
    """The phase that is open on the phases' track."""
    colours: list[tuple[int, Colours]] = field(default_factory=list)
    """What the objects' colours were, and when (ns)."""
    scanned: int = 0
    """Objects scanned in this cycle, in slices that have ended."""

    def __post_init__(self) -> None:
        self.events.append({"ph": "M", "pid": PID, "tid": 0, "name": "process_name", "args": {"name": "workbuf-model"}})
        self.reader = Reader(self.bufname, self.threads)
        self.phases = len(self.threads)
        """The phases' track, as a thread behind the last."""
        for number, name in enumerate((*self.threads, PHASES_TRACK), FIRST_TID):
            order = 0 if name == PHASES_TRACK else number
            self.events.append({"ph": "M", "pid": PID, "tid": number, "name": "thread_name", "args": {"name": name}})
            self.events.append(
                {"ph": "M", "pid": PID, "tid": number, "name": "thread_sort_index", "args": {"sort_index": order}}
            )

        self.named = len(self.events)
        """Of the events, those at the beginning that give names."""

    def add(self, records: Iterable[Record]) -> None:
        """Take further records, by time."""
        for record in records:
            self.start = self.start or record.time
            ts = self.last = (record.time - self.start) / US
            self._one(record.thread, self.reader.read(*record[2:]), ts)

    def _one(self, thread: int, event: Happening, ts: float) -> None:
        kind, fields = event
        if kind in ENDS:
            begun = self._end(thread, ENDS[kind], ts)
            if begun and ENDS[kind] in SCANNING:
                self._scanned(thread, fields["scanned"], ts)
        if kind in (Event.STOP, Event.START, Event.PHASE, Event.CYCLE):
            self._world(thread, event, ts)
        if kind in PAIRS:
            idle = kind == Event.PARK and not fields["gcwaiting"]
            self._begin(thread, kind, "idle" if idle else PAIRS[kind][1], ts)
        elif kind in (Event.GET, Event.PUT):
            self._handover(thread, event, ts)
        elif kind in INSTANTS:
            self._event("i", thread, event.name, ts, s="t", args=event.plain)
        if kind in (Event.WAIT, Event.RESUME):
            self._counter("nwait", ts, waiting=fields["nwait"])
        elif kind == Event.REACHED:
            self._counter("nwait", ts, waiting=0)

    def _world(self, thread: int, event: Happening, ts: float) -> None:
        """The collector's stops and phases."""
        kind, fields = event
        if kind == Event.CYCLE:
            self.stops = self.scanned = 0
            self._counter("scanned", ts, objects=0)
        elif kind == Event.STOP:
            name = STOPS[self.stops] if self.stops < len(STOPS) else LAST_STOP
            self.stops += 1
            waited = ", ".join(fields["waitedfor"]) or "nobody"
            self._begin(thread, Event.STOP, name, ts, {"waited for": waited})
        elif kind == Event.START:
            self._end(thread, Event.STOP, ts)
        elif kind == Event.PHASE:
            self._enter(PHASES.get(fields["phase"], ""), ts)

    def _enter(self, phase: str, ts: float) -> None:
        """Another phase, or none."""
        if self.phase:
            self._event("E", self.phases, self.phase, ts)
        if phase:
            self._event("B", self.phases, phase, ts)
        self.phase = phase

    def _handover(self, thread: int, event: Happening, ts: float) -> None:
        """A buffer on or off a list: the list's depth, and the arrow of a flow."""
        buffer, place = event.fields["buffer"], event.fields["list"]
        self.depth[place] += 1 if event.kind == Event.PUT else -1
        self._counter("lists", ts, **{at: max(n, 0) for at, n in self.depth.items() if at != LIST_NAMES[EMPTY]})
        # A slice of no length for the arrow to end on.
        args = {"buffer": buffer, "entry": str(event.fields["entry"])}
        self._event("X", thread, f"{event.name} {place}", ts, dur=0.0, args=args)
        if place == LIST_NAMES[EMPTY]:
            return
        if event.kind == Event.PUT:
            self.flows += 1
            self.put[buffer] = (self.flows, ts, thread)
        elif buffer in self.put:
            flow, when, putter = self.put.pop(buffer)
            self._event("s", putter, "buffer", when, cat="buffer", id=flow)
            self._event("f", thread, "buffer", ts, cat="buffer", id=flow, bp="e")

    def _scanned(self, thread: int, objects: int, ts: float) -> None:
        """A slice has ended in which objects were scanned."""
        if not any(kind in SCANNING for kind, _ in self.open[thread]):
            self.scanned += objects
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
        for time, colours in self.colours:
            if time >= self.start:
                self._counter("objects", (time - self.start) / US, **colours._asdict())
        self.colours.clear()
        return {"traceEvents": self.events, "displayTimeUnit": "ns", "otherData": other}

    def write(self, file: BinaryIO, other: dict[str, Any], most: int | None = None) -> None:
        """Write it to `file`, of its slices and counters the newest `most`; raises OSError."""
        trace = self.finish(other)
        if most is not None:
            del trace["traceEvents"][self.named : -most]
        rest = {key: value for key, value in trace.items() if key != "traceEvents"}
        file.write(b'{"traceEvents": [')
        # An event at a time: the text of all of them may need more memory than they do.
        between = chain((b"\n",), repeat(b",\n"))
        file.writelines(
            start + json.dumps(event).encode() for start, event in zip(between, trace["traceEvents"], strict=False)
        )
        file.write(b"\n], " + json.dumps(rest).encode()[1:])


@dataclass
class ColourCounter:
    """Adds the objects' colours to a timeline, each time it is called, but for no more than a SHARE of the time."""

    timeline: Timeline
    look: Callable[[], Colours]
    next: int = 0

    def __call__(self) -> None:
        """Count, if it is time to."""
        if perf_counter_ns() >= self.next:
            began = thread_time_ns()
            seen = self.look()
            done = perf_counter_ns()
            self.timeline.colours.append((done, seen))
            self.next = done + (thread_time_ns() - began) * SHARE
