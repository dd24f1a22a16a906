"""Stress runs over a heap that each drive one mechanism, and the number by which each says that it did.

A number is a rate (for each cycle, second, or thousand objects scanned), so that it can be compared with that of the default
run, whose programs and sizes are the command's.  A mechanism counts as driven if its number is `factor` times the default
run's or more, on the same machine, a moment before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from collector.helper import Helper
from mutator.programs.finalizers import Finalizers
from workbuf.events import Event
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collector.stress.run import Plan, Stress, StressM


SMALL = "synthetic:random,n=1000"
"""The heap that most run over: cycles are short, so that there are many."""
MINIMUM = 256 << 10
"""Bytes of the smallest goal over it."""
PERIOD = 0.02
LATE_US = 20_000
"""Microseconds that a late helper takes to begin, and an unwilling one to go on with a buffer: some slices of a lock of the
interpreter, or on a busy machine the others would not run out of work meanwhile."""


@dataclass(frozen=True)
class Mechanism:
    """A scenario of stress: what it changes in the default run, and what it counts."""

    name: str
    what: str
    """What is driven, and by what, in a clause."""
    unit: str
    """Of the number."""
    number: Callable[[Stress], float]
    factor: float = 2.0
    programs: tuple[str, ...] = ("rewire", "pushpop", "hider", "bintree")
    config: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the model's sizes."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Other changes of the plan."""
    heap: str = SMALL
    part: type[Helper] | None = None
    """A part of the M with one method changed."""

    def planned(self, default: Plan) -> Plan:
        """The run, as far as it differs from the `default` one."""
        config = replace(default.config, **{"mutators": len(self.programs), "heapminimum": MINIMUM, **self.config})
        return replace(default, **{"config": config, "programs": self.programs, "period": PERIOD, **self.plan})

    def m(self, m: type[StressM]) -> type[StressM]:
        """The class of the run's Ms."""
        return type(f"{self.part.__name__}{m.__name__}", (self.part, m), {}) if self.part else m

    def driven(self, number: float, default: float) -> bool:
        """Is `number` so much more than the default run's?"""
        return number > 0 and number >= self.factor * default


class LateHelpers(Helper):
    """Helpers wake late, and whoever has waited for a buffer holds it long before it goes on."""

    def gchelper(self) -> None:
        """Begin late."""
        self.port.pause(Pause.USLEEP, LATE_US)
        super().gchelper()

    def getfull(self, entry: int) -> int:
        """Hold what one got."""
        b = super().getfull(entry)
        if b:
            self.port.pause(Pause.USLEEP, LATE_US)
        return b


def cycles(run: Stress) -> int:
    """Of a run, 1 at least."""
    return max(len(run.reports), 1)


def scanned(run: Stress) -> float:
    """Thousands of objects."""
    return max(sum(report.stats.scanned_after - report.stats.scanned_before for report in run.reports), 1) / 1000


def seconds(run: Stress) -> float:
    """From the first cycle's beginning to the last one's end."""
    stamps = [report.stats.stamps for report in run.reports]
    return max((stamps[-1]["sweep"] - stamps[0]["sweepterm"]) / 1e9, 1e-3) if stamps else 1e-3


def a_cycle(kind: Event) -> Callable[[Stress], float]:
    """Events of that kind, each cycle."""
    return lambda run: run.recorder.total(kind) / cycles(run)


def a_second(kind: Event) -> Callable[[Stress], float]:
    """Events of that kind, each second."""
    return lambda run: run.recorder.total(kind) / seconds(run)


def a_thousand(kind: Event) -> Callable[[Stress], float]:
    """Events of that kind, for each thousand objects scanned."""
    return lambda run: run.recorder.total(kind) / scanned(run)


def failures(run: Stress) -> float:
    """CAS that failed, of a thousand on list heads."""
    tally = run.tally()
    return 1000 * tally.cas_failures / max(tally.cas_attempts, 1)


def harvested(run: Stress) -> float:
    """Buffers with work taken from caches, each cycle."""
    return sum(report.stats.harvested_mark + report.stats.harvested_markterm for report in run.reports) / cycles(run)


def naps(run: Stress) -> float:
    """Sleeps in getfull's barrier, each second."""
    return sum(report.stats.gcstats.get("nsleep", 0) for report in run.reports) / seconds(run)


def alone(run: Stress) -> float:
    """Objects of mark terminations that the busiest marker scanned, for each one that any other did."""
    marks = [report.stats.scanned for report in run.reports if report.stats.scanned]
    most = sum(map(max, marks))
    return most / max(sum(map(sum, marks)) - most, 1)


def outlived(run: Stress) -> float:
    """Collections that an object, or a chain of them, with finalizers saw."""
    programs = [program for program in run.programs if isinstance(program, Finalizers)]
    return sum(program.outlived for program in programs) / max(sum(program.finalized for program in programs), 1)


def growth(run: Stress) -> float:
    """How many times what the cycle before has left there is when one begins."""
    stats = [report.stats for report in run.reports if report.stats.heap0]
    return sum(each.heapstart / each.heap0 for each in stats) / max(len(stats), 1)


def allocated(run: Stress) -> float:
    """Thousands of objects allocated, each cycle."""
    return max(run.reports[-1].stats.nmalloc - run.objects, 1) / 1000 / cycles(run) if run.reports else 0.0


MECHANISMS = {
    mechanism.name: mechanism
    for mechanism in (
        Mechanism(
            "contention", "list heads, fought for by eight helpers with tiny buffers, who dawdle before an atomic",
            "failed CAS in 1000", failures,
            config={"helpers": 8, "wbufsize": 112}, plan={"jitter": 0.1, "concurrent": False},
        ),
        Mechanism(
            "handoffs", "half a buffer given away, again and again: a narrow tree and seven helpers who have nothing",
            "handoffs in 1000 objects", a_thousand(Event.HANDOFF),
            config={"helpers": 7}, plan={"concurrent": False}, heap="synthetic:tree,n=3000,fan=3",
        ),
        Mechanism(
            "steals", "buffers with work that another M has put: tiny buffers, many markers, a broad heap",
            "steals in 1000 objects", lambda run: run.recorder.steals / scanned(run),
            config={"helpers": 6, "wbufsize": 112}, plan={"concurrent": False}, heap="synthetic:random,n=3000,m=9000",
        ),
        Mechanism(
            "harvests", "caches filled by the barriers of ten mutators until the world stops",
            "buffers harvested a cycle", harvested, 1.5,
            programs=("hider",) * 10,
        ),
        Mechanism(
            "latehelpers", "the termination barrier: helpers wake late and hold their last buffer long",
            "sleeps in the barrier a second", naps,
            config={"helpers": 4}, plan={"concurrent": False}, part=LateHelpers,
        ),
        Mechanism(
            "longlist", "one long list: one marker has an object at a time, the others starve",
            "objects scanned by the busiest marker for each of the others'", alone,
            programs=("pushpop",), plan={"concurrent": False}, heap="synthetic:list,n=6000",
        ),
        Mechanism(
            "assists", "mutators that allocate much help the mark: a goal just above the live heap",
            "assists a cycle", a_cycle(Event.ASSIST),
            programs=("bintree", "pushpop", "sizes", "bintree"), config={"gcpercent": 5},
        ),
        Mechanism(
            "finalizers", "finalizers in chains, of which each collection frees one link",
            "collections until the last of a chain has run", outlived,
            programs=("finalizerchains",), plan={"period": 0.002}, heap="synthetic:random,n=100",
        ),
        Mechanism(
            "channels", "pointers handed over channels into stacks that were scanned, or are those of the blocked",
            "times blocked a second", a_second(Event.BLOCK),
            programs=("channel", "channel", "latesend", "latesend", "channel", "channel"),
        ),
        Mechanism(
            "stops", "the world stopped and started as often as it can be", "stops a second", a_second(Event.STOP),
            programs=("rewire",), config={"helpers": 0}, plan={"concurrent": False}, heap="synthetic:random,n=50",
        ),
        Mechanism(
            "syscalls", "Ms in system calls when the world is to stop and their stacks are to be scanned",
            "system calls a second", a_second(Event.SYSCALL),
            programs=("syscalls",) * 6,
        ),
        Mechanism(
            "tinybuffers", "buffers of five entries, the smallest that gcinit takes",
            "takes of buffers with work in 1000 objects", lambda run: run.recorder.laden / scanned(run),
            config={"wbufsize": 112}, plan={"concurrent": False}, heap="synthetic:random,n=3000,m=9000",
        ),
        Mechanism(
            "hugebuffers", "buffers of 4096 entries: nearly all the work is in one hand",
            "objects scanned for each take", lambda run: 1000 * scanned(run) / max(run.recorder.total(Event.GET), 1),
            programs=(), config={"wbufsize": 32 << 10}, plan={"concurrent": False}, heap="synthetic:random,n=3000",
        ),
        Mechanism(
            "gogclow", "GOGC=1: a cycle for every hundredth of the heap that is allocated",
            "cycles for 1000 objects allocated", lambda run: 1 / allocated(run) if run.reports else 0.0,
            programs=("hider",), config={"gcpercent": 1, "heapminimum": 4096}, plan={"period": 10.0},
        ),
        Mechanism(
            "gogcoff", "GOGC=off: collected by the clock alone, with much that has died meanwhile",
            "times what the last cycle left, when the next begins", growth,
            programs=("bintree", "sizes", "pushpop"), config={"gcpercent": -1}, plan={"period": 0.7},
        ),
    )
}  # fmt: skip
"""By name."""
