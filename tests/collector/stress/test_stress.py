"""Whole runs on real threads, short: every program, buffers of two sizes, both bindings, every kind of cycle.

Each run audits every collection, so a run that ends is one in which everything held;
`tests/collector/audit/test_auditedstress.py` breaks it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

import pytest

from collector import heaps
from collector.audit.violation import Violation
from collector.commands.stressoptions import add_arguments, plan
from collector.runtime import Config
from collector.stress.run import CycleReport, Plan, Stress, StressM
from mutator.heap import SPAN, SPAN_IN_USE, SPECIAL
from mutator.programs.finalizers import NUMBER
from mutator.programs.program import Program
from mutator.programs.registry import PROGRAMS
from workbuf.events import Event
from workbuf.machine import WORD


if TYPE_CHECKING:
    from mutator.m import M


GRAPH = "synthetic:random,n=1500,m=4000,threads=4"


def stress(
    seed: int,
    *programs: str,
    m: type[StressM] = StressM,
    heap: str = GRAPH,
    helpers: int = 2,
    **changes: Any,  # noqa: ANN401
) -> Stress:
    """A run of two collections and the last one, of those programs; keywords change the plan, or the model's sizes."""
    print(f"seed {seed}")  # noqa: T201  for whoever has to run it again
    sizes = {name: changes.pop(name) for name in ("wbufsize", "checkmark", "gcpercent", "ncpu") if name in changes}
    config = Config(mutators=len(programs), helpers=helpers, arena=1 << 26, **sizes)
    plan = Plan(config, programs=programs, **{"cycles": 3, "period": 0.03, "seed": seed, "patience": 40} | changes)
    return Stress(plan, heaps.read(heap) if heap else None, m)


def check(run: Stress, reports: list[CycleReport]) -> None:
    """What must be so at the end of a run that was not broken off."""
    assert reports == run.reports
    assert [report.stats.number for report in reports] == list(range(1, len(reports) + 1))
    assert len(reports) == run.plan.cycles
    assert not reports[-1].stats.concurrent
    for report in reports:
        reach = report.reach
        assert reach.marked == reach.reachable + reach.floating
        assert reach.marked <= reach.objects
        assert 1 <= report.stats.nproc <= len(run.model.helpers) + 1
    # In the last collection nobody moves, so nothing dies while it is being marked.
    assert reports[-1].reach.floating == 0
    assert len(run.ms) == len(run.threads)
    assert 0 < reports[0].tally.cas_attempts <= reports[-1].tally.cas_attempts <= run.tally().cas_attempts
    assert run.machine.failure is None


@pytest.mark.parametrize(
    ("programs", "changes"),
    [
        (("rewire", "pushpop", "hider", "finalizers"), {"checkmark": True}),
        (("bintree", "longlist", "channel", "channel"), {"wbufsize": 1024}),
        (("rewire", "rewire", "hider", "hider"), {"wbufsize": 1024, "checkmark": True, "jitter": 0.05}),
        (("channel", "pushpop", "syscalls", "finalizerchains"), {"wbufsize": 112, "helpers": 3}),
        (("arguments", "latesend", "latesend", "sizes"), {"dawdle": 0.02}),
    ],
    ids=",".join,
)
def test_programs_run_while_their_heap_is_collected(
    seed: int, programs: tuple[str, ...], changes: dict[str, Any]
) -> None:
    """Every program there is; buffers of Go's size and of others; the verifying mark; jitter; more helpers than needed."""
    reports: list[CycleReport] = []
    run = stress(seed, *programs, **changes)

    run.run(reports.append)

    check(run, reports)
    assert run.freed > 0
    assert run.objects == 1500


def test_no_program_is_forgotten() -> None:
    """The cases above name every one."""
    mark = test_programs_run_while_their_heap_is_collected.pytestmark[0]
    assert {name for programs, _ in mark.args[1] for name in programs} == set(PROGRAMS)


def test_the_public_classes_of_the_package_do_as_well(seed: int) -> None:
    """A hundred times slower, so a tiny heap and one cycle."""
    reports: list[CycleReport] = []
    run = stress(
        seed, "pushpop", "hider", heap="synthetic:list,n=150", helpers=1, binding="public", cycles=2, period=0.001
    )

    run.run(reports.append)

    assert run.machine.binding == "public"
    check(run, reports)


@pytest.mark.parametrize(("seconds", "cycles"), [(0.5, 2), (9.0, 3), (12.0, 4)])
def test_no_cycle_begins_that_would_not_fit(
    seed: int, monkeypatch: pytest.MonkeyPatch, seconds: float, cycles: int
) -> None:
    """By a clock on which each cycle takes three seconds.  The forced one is part of the time; one more there is always."""
    clock = iter(range(0, 300, 3))
    monkeypatch.setattr("collector.stress.run.monotonic", lambda: next(clock))
    run = stress(seed, "pushpop", helpers=0, heap="", cycles=0, seconds=seconds)

    run.run()

    assert [report.stats.concurrent for report in run.reports] == [True] * (cycles - 1) + [False]


@pytest.mark.parametrize(
    ("programs", "changes"),
    [
        ((), {"helpers": 0}),
        ((), {"helpers": 2}),
        (("pushpop",), {"helpers": 0, "heap": ""}),
        (("hider", "bintree"), {"concurrent": False}),
        (("pushpop", "longlist"), {"gcpercent": -1}),
        (("longlist",), {"helpers": 3, "ncpu": 1}),
    ],
    ids=["nobody", "only helpers", "an empty heap", "stopped cycles", "GOGC off", "one processor"],
)
def test_unusual_worlds(seed: int, programs: tuple[str, ...], changes: dict[str, Any]) -> None:
    """Without mutators, helpers or a heap; without concurrent cycles; without a trigger; with idle helpers."""
    reports: list[CycleReport] = []
    run = stress(seed, *programs, **changes)

    run.run(reports.append)

    check(run, reports)
    assert [report.stats.concurrent for report in reports[:-1]] == [run.plan.concurrent] * (len(reports) - 1)
    if run.world.ncpu == 1:
        assert {report.stats.nproc for report in reports} == {1}


def test_a_heap_that_nobody_changes_keeps_what_is_reachable(seed: int) -> None:
    """Collection after collection the same objects; what the loader brought in dead is freed by the first."""
    reports: list[CycleReport] = []
    run = stress(seed, heap="synthetic:tree,n=3000,garbage=0.4", helpers=2)

    run.run(reports.append)

    assert {(report.reach.reachable, report.reach.marked) for report in reports} == {(1800, 1800)}
    assert [report.reach.objects for report in reports] == [3000, 1800, 1800]
    assert run.freed == 1200


class Counting(StressM):
    """Notes every finalizer that is set or taken, by the number in its object."""

    made: list[int]
    ran: list[int]

    def setfinalizer(self, p: int, fn: int) -> None:
        """Note, then set."""
        self.made.append(self.port.words[p // WORD + NUMBER])
        super().setfinalizer(p, fn)

    def takefinalizer(self) -> tuple[int, int] | None:
        """Take, then note."""
        queued = super().takefinalizer()
        if queued:
            self.ran.append(self.port.words[queued[1] // WORD + NUMBER])
        return queued


def test_every_finalizer_runs_exactly_once(seed: int) -> None:
    """Three Ms set them and run each other's; each that was set has run, or is queued, or its object is still waiting."""
    # On a busy machine a run may be over before an M has come to run any.
    assert any(finalized(seed + number) for number in range(100))


def finalized(seed: int) -> int:
    """How many have run in a short run, of which that holds."""

    class Shared(Counting):
        """All Ms of this run note into the same lists."""

        made: list[int] = []  # noqa: RUF012  shared on purpose
        ran: list[int] = []  # noqa: RUF012

    run = stress(seed, "finalizers", "finalizers", "finalizers", m=Shared, heap="", cycles=4)
    run.run()
    ran = len(Shared.ran)
    boot = Shared(run.machine.boot(), run.world, run.model.gcm)
    boot.snapshotspans()
    waiting = [
        boot.port.words[
            (boot.port.words[span + SPAN.start] + boot.port.words[special + SPECIAL.offset]) // WORD + NUMBER
        ]
        for span in boot.allspans()
        if boot.port.words[span + SPAN.state] == SPAN_IN_USE
        for special in boot.specials(span)
    ]
    while boot.takefinalizer():
        pass

    assert len(set(Shared.made)) == len(Shared.made)
    assert sorted(Shared.ran + waiting) == sorted(Shared.made)
    return ran


class Deaf(Program):
    """Never polls, so the world cannot stop."""

    name = "deaf"

    def run(self, m: M) -> None:
        """Loop; only an aborted run ends it."""
        while True:
            m.port.check()


class Clumsy(Program):
    """Fails in Python, not in Go."""

    name = "clumsy"

    def run(self, m: M) -> None:
        """Poll a few times, then fail."""
        for _ in range(5):
            m.poll()
        raise ZeroDivisionError("clumsy")


def test_a_run_that_gets_nowhere_is_called_hung(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many seconds without an event of the collector or an object scanned, with every thread's stack."""
    monkeypatch.setitem(PROGRAMS, "deaf", Deaf)
    for patience in (0.5, 5.0, 50.0):  # on a busy machine the collector may not have come to stop the world
        run = stress(seed, "pushpop", "deaf", patience=patience)
        with pytest.raises(Violation) as found:
            run.run()
        assert found.value.kind == "hang"
        assert found.value.text.startswith("no progress for ")
        stacks = {text.partition(":")[0]: text for text in found.value.printed}
        assert set(stacks) == set(run.threads)
        if "stoptheworld" in stacks["gc"]:
            break

    assert "in run" in stacks["deaf1"]
    assert "stoptheworld" in stacks["gc"]


def test_a_mutator_that_raises_ends_the_run(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own exception and its name; everybody else is sent home."""
    monkeypatch.setitem(PROGRAMS, "clumsy", Clumsy)
    run = stress(seed, "pushpop", "clumsy")

    with pytest.raises(ZeroDivisionError, match="clumsy"):
        run.run()

    assert run.machine.failure
    assert run.machine.failure.thread == "clumsy1"


class Dying(StressM):
    """A helper that fails when it is woken."""

    def gchelper(self) -> None:
        """Fail."""
        raise ZeroDivisionError("dying")


def test_a_helper_that_dies_ends_the_run(seed: int) -> None:
    """The collector, which waits for it in the termination barrier, is sent home with everybody else."""
    run = stress(seed, "pushpop", "hider", m=Dying)

    with pytest.raises(ZeroDivisionError, match="dying"):
        run.run()

    assert run.machine.failure
    assert run.machine.failure.thread.startswith("helper")


@pytest.mark.parametrize("ring", [1 << 6, 1 << 14])
def test_events_are_handed_on_with_each_report(seed: int, ring: int) -> None:
    """When they are wanted: every one that has not fallen out of its ring, by time, and none twice."""
    reports: list[CycleReport] = []
    run = stress(seed, "pushpop", "hider", events=True, ring=ring)

    run.run(reports.append)

    events = [record for report in reports for record in report.events] + run.recorder.drain()
    fallen = [record.a for record in events if record.kind == Event.LOST]
    rings = run.recorder.rings.values()
    assert len(events) - len(fallen) == sum(sum(each.counts) - each.dropped for each in rings)
    assert sum(fallen) == run.recorder.dropped
    assert [len(set(report.events)) for report in reports] == [len(report.events) for report in reports]
    times = [[record.time for record in report.events] for report in reports]
    assert times == [*map(sorted, times)]


@pytest.mark.parametrize(
    ("words", "share"),
    [
        ([], 0.01),
        (["--mutators", "1"], 0.01),
        (["--mutators", "8"], 0.0025),
        (["--mutators", "8", "--dawdle", "0.3"], 0.3),
    ],
)
def test_with_many_mutators_threads_dawdle_less(words: list[str], share: float) -> None:
    """With a GIL the collector would fall behind eight that allocate: at 0.01 a run of 5 seconds took minutes."""
    parser = ArgumentParser()
    add_arguments(parser)

    assert plan(parser.parse_args(words)).dawdle == pytest.approx(share)
