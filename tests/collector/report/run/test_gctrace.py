"""Both gctrace lines: their shapes, and their numbers held against the cycle's own stamps."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from collector import heaps
from collector.audit.traverse import Reach
from collector.gc import CycleStats
from collector.report.run.gctrace import gctrace
from collector.report.run.gctracetoday import Clock, GctraceToday, Sizes, assisttime, ms
from collector.runtime import Config
from collector.stress.run import Plan, Stress
from workbuf.events import Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collector.stress.run import CycleReport

T = r"(\d\d+|\d\.\d|0\.\d\d|0\.0\d\d|0)"
"""A time: two digits that matter, at most three decimals, whole from 10 ms up."""
TODAY = re.compile(
    rf"gc (\d+) @(\d+\.\d{{3}})s (\d+)%: {T}\+{T}\+{T} ms clock, {T}\+{T}/{T}/{T}\+{T} ms cpu,"
    r" (\d+)->(\d+)->(\d+) MB, (\d+) MB goal, (\d+) MB stacks, (\d+) MB globals, (\d+) P( \(forced\))?"
)
OLD = re.compile(
    r"gc(\d+)\((\d+)\): (\d+)\+(\d+)\+(\d+)\+(\d+) us, (\d+) -> (\d+) MB, (\d+) \((\d+)-(\d+)\) objects, (\d+) goroutines,"
    r" (\d+)/(\d+)/(\d+) sweeps, (\d+)\((\d+)\) handoff, (\d+)\((\d+)\) steal, (\d+)/(\d+)/(\d+) yields( \(forced\))?"
)
REAL_OLD = (
    "gc26(1): 1+0+1038+0 us, 0 -> 1 MB, 19074 (88777-69703) objects, 5 goroutines, 184/0/0 sweeps,"
    " 0(0) handoff, 0(0) steal, 0/0/0 yields"
)
"""As Go printed it in 2014, but for the goroutines, which were `gs` then."""
REAL = (
    "gc 4 @0.231s 15%: 0.14+93+0.006 ms clock, 0.28+0/49/124+0.012 ms cpu, 42->42->36 MB, 72 MB goal,"
    " 0 MB stacks, 0 MB globals, 2 P (forced)"
)
STAMPS = {
    "sweepterm": 1_000_000_000,
    "scan": 1_000_140_000,
    "installmarkwb": 1_020_000_000,
    "mark": 1_020_060_000,
    "markterm": 1_093_000_000,
    "t0": 1_093_001_000,
    "t1": 1_093_002_000,
    "t2": 1_093_003_000,
    "t3": 1_093_004_000,
    "t4": 1_093_006_000,
    "sweep": 1_200_000_000,
}
SIZES = Sizes(stacks=3 << 20, globals=5 << 20, procs=4, stwprocs=2)


@cache
def reports() -> tuple[Stress, list[CycleReport]]:
    """A short real run."""
    plan = Plan(
        config=Config(mutators=2, helpers=1, wbufsize=112),
        programs=("rewire", "channel"),
        cycles=3,
        events=True,
        period=0.02,
        seed=5,
    )
    run = Stress(plan, heaps.read("synthetic:random,n=3000,m=6000,seed=1"))
    run.run()
    return run, run.reports


def test_the_expression_is_of_real_lines() -> None:
    """A line that Go printed fits it; one with a figure missing does not."""
    assert TODAY.fullmatch(REAL)
    assert OLD.fullmatch(REAL_OLD)
    assert not OLD.fullmatch(REAL_OLD.replace("gc26", "gc 26"))
    assert not TODAY.fullmatch(REAL.replace("0.28+", ""))
    assert not TODAY.fullmatch(REAL.replace("0.14", "0.1400"))


def test_a_cycles_figures_are_those_of_its_stamps() -> None:
    """Stopped, concurrent and stopped again, by the clock and times the processors; the audits' time is not in it."""
    stats = CycleStats(number=7, concurrent=True, stamps=STAMPS, heapstart=9 << 20, heap1=11 << 20, goal=16 << 20)
    line = GctraceToday().line(stats, Reach(1, 1, 1, 0, 6 << 20), 5_000_000, SIZES)

    # 140 us and 60 us stopped, 19.86 ms and 72.94 ms between, 6 us at the end; 4 processors, 2 of which a stop idles.
    assert line == (
        "gc 7 @1.000s 2%: 0.20+92+0.006 ms clock, 0.40+5.0/92/0+0.012 ms cpu,"
        " 9->11->6 MB, 16 MB goal, 3 MB stacks, 5 MB globals, 4 P"
    )


def test_the_share_is_of_all_cycles_so_far() -> None:
    """The same cycle again at the same time doubles it."""
    trace = GctraceToday()
    stats = CycleStats(number=1, concurrent=True, stamps=STAMPS)
    lines = [trace.line(stats, Reach(0, 0, 0, 0), 20_000_000, SIZES) for _ in range(3)]

    assert [line.split()[3] for line in lines] == ["2%:", "5%:", "7%:"]


def test_a_stopped_cycle_is_forced_and_has_no_concurrent_part() -> None:
    """Its stamps have no scan and no mark."""
    stamps = {name: STAMPS[name] for name in ("sweepterm", "markterm", "t0", "t1", "t2", "t3", "t4", "sweep")}
    line = GctraceToday().line(CycleStats(number=2, stamps=stamps), Reach(0, 0, 0, 0), 0, SIZES)

    assert " 93+0+0.006 ms clock, 186+0/0/0+0.012 ms cpu," in line
    assert line.endswith(" P (forced)")


def test_every_line_of_a_real_run_has_both_shapes() -> None:
    """And what both lines say of one cycle agrees with its figures."""
    run, made = reports()
    trace = GctraceToday()
    for report in made:
        stats, stamps = report.stats, report.stats.stamps
        old = OLD.fullmatch(gctrace(report.stats))
        today = TODAY.fullmatch(
            trace.line(stats, report.reach, assisttime(report.events), Sizes.of(run.world, stats.goroutines))
        )
        assert old
        assert today

        assert [int(old[i + 3]) for i in range(4)] == [
            (stamps[f"t{i + 1}"] - stamps[f"t{i}"]) // 1000 for i in range(4)
        ]
        assert int(old[9]) == int(old[10]) - int(old[11]) == stats.nmalloc - stats.nfree
        assert today[1] == old[1] == str(stats.number)
        assert float(today[2]) == pytest.approx(stamps["sweepterm"] / 1e9, abs=0.0006)
        assert sum(Clock.of(stamps, concurrent=stats.concurrent)) == stamps["t4"] - stamps["sweepterm"]
        assert int(today[18]) == 3  # the collector's and the two mutators'
        assert (today[19] is None) == (old[23] is None) == stats.concurrent
        assert 0 < report.reach.live <= stats.heap1


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (999, "0"),
        (6_000, "0.006"),
        (99_000, "0.099"),
        (140_000, "0.14"),
        (1_999_999, "1.9"),
        (9_999_999, "9.9"),
        (10_000_000, "10"),
        (93_400_000, "93"),
    ],
)
def test_times_are_written_as_go_writes_them(ns: int, text: str) -> None:
    """Cut off, not rounded."""
    assert ms(ns) == text
    assert re.fullmatch(T, text)


def test_assists_are_timed_by_their_events() -> None:
    """Each thread's own, also when they overlap; an end without a beginning does not count."""
    events = [
        (10, 1, Event.ASSIST_END),
        (20, 1, Event.ASSIST),
        (30, 2, Event.ASSIST),
        (45, 1, Event.ASSIST_END),
        (50, 2, Event.DRAIN),
        (70, 2, Event.ASSIST_END),
    ]

    assert assisttime(Record(time, thread, kind, 0, 0, 0) for time, thread, kind in events) == 25 + 40
