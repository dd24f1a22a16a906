"""Compare with Go: collect the heap dump BEFORE with our threads, and compare with Go's dump AFTER.

The collector runs several times over the same dump: with the world stopped and concurrently, with and without helpers,
and with mutators whose write barriers are busy.  Missing must be 0 in every run.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector import heaps
from collector.commands.files import Input, Output
from collector.commands.limits import add_limits, limits
from collector.commands.status import VIOLATION
from collector.commands.usage import atleast, fitting, switching
from collector.heaps.referee import check_pair, compare
from collector.report.log.writer import tostderr
from collector.report.progress import Progress
from collector.report.tables import table
from collector.runtime import Config
from collector.stress.markers import IDLE, idle, marks, said
from collector.stress.run import Plan
from collector.stress.survivors import BUSY, Keep
from mutator.world import MAX_GCPROC


if TYPE_CHECKING:
    import argparse

    from collector.gc import CycleStats
    from collector.heaps.graph import Graph
    from collector.heaps.referee import Verdict
    from collector.stress.survivors import Kept


EXAMPLES = {"referee BEFORE AFTER": "", "referee BEFORE AFTER --helpers 8": ""}
ENDS = {VIOLATION: "an object that Go keeps is missing, or an invariant was broken"}


@dataclass(frozen=True)
class Mode:
    """One way to collect."""

    name: str
    concurrent: bool
    helpers: int
    busy: bool


def modes(helpers: int) -> list[Mode]:
    """The runs of the referee."""
    return [
        Mode("stopped, alone", concurrent=False, helpers=0, busy=False),
        Mode(f"stopped, {helpers} helpers", concurrent=False, helpers=helpers, busy=False),
        Mode(f"concurrent, {helpers} helpers", concurrent=True, helpers=helpers, busy=False),
        Mode(f"concurrent, {helpers} helpers, {len(BUSY)} busy mutators", concurrent=True, helpers=helpers, busy=True),
    ]


@dataclass(frozen=True)
class Run:
    """What came of collecting in one way."""

    verdict: Verdict
    barriers: int
    """Times that a mutator's write barrier shaded something meanwhile."""
    cycles: list[CycleStats]
    """The collections; what was kept is what the first one marked."""
    violation: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = {**self.verdict.as_dict(), "barriers": self.barriers, "violation": self.violation}
        return {**found, **marks(self.cycles)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `referee`."""
    add = parser.add_argument
    add("before", type=Input, metavar="BEFORE", help="the dump made before runtime.GC()")
    add("after", type=Input, metavar="AFTER", help="the dump made after it, by the same process")
    add("--helpers", type=atleast(1, MAX_GCPROC - 1), default=2, metavar="N", help="helpers where a run has any (2)")
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the mutators (1)")
    add("--json", type=Output, metavar="FILE", help="write the worst run's verdict, and all; - is standard output")
    add_limits(parser)


def main(args: argparse.Namespace) -> int:
    """Collect in every mode, compare; returns the exit status."""
    tostderr("WARNING")
    with Progress(f"reading {args.before}") as progress, fitting(args.before):
        before = heaps.read(args.before, progress.part, limits(args))
        progress.say(f"reading {args.after}")
        after = heaps.read(args.after, progress.part, limits(args))
    check_pair(before, after)
    runs = {}
    for mode in modes(args.helpers):
        kept = collect(before, mode, args.seed)
        runs[mode.name] = Run(compare(before, after, kept.kept), kept.barriers, kept.cycles, kept.violation)
    return verdict(runs, args.json)


def collect(before: Graph, mode: Mode, seed: int) -> Kept:
    """What our collector keeps of `before` when it runs that way."""
    gc.collect()  # the memory of the run before, which cycles hold: address space may be scarce
    programs = BUSY if mode.busy else ()
    plan = Plan(
        config=Config(mutators=len(programs), helpers=mode.helpers),
        programs=programs,
        cycles=2,
        concurrent=mode.concurrent,
        period=0.2,
        seed=seed,
    )
    with Progress(f"{mode.name}: placing the heap") as progress, fitting(before.source.name):
        run = Keep(plan, before, progress.part)
        progress.say(f"{mode.name}: collecting")
        with switching():
            return run.result(before, progress.tick)


def verdict(runs: dict[str, Run], path: Output | None) -> int:
    """Print the runs and what they come to, write the summary; returns the exit status."""
    head = ("run", "kept", "kept by Go", "missing", "extra", "new", "reused", "barriers", "markers")
    lines = []
    for name, run in runs.items():
        v = run.verdict
        counts = (v.kept, v.kept_by_go, v.missing, v.extra, v.new, v.reused, run.barriers)
        lines.append((name, *map(str, counts), said(run.cycles[0].scanned)))
    print(table(lines, head))
    alone = [name for name, run in runs.items() if idle(run.cycles[0].scanned)]
    if alone:
        print(f"{IDLE}: {'; '.join(alone)}")
    worst = max((run.verdict for run in runs.values()), key=lambda v: (v.missing, v.extra))
    if worst.phantoms:
        print(f"AFTER also holds {worst.phantoms} phantoms")
    if worst.extra:
        print(
            f"extra: AFTER still lists {worst.extra_listed} (unlinked between Go's collection and the dump),"
            f" {worst.extra_freed} were freed (what a sync.Pool held, say)"
        )
    if worst.not_judged:
        print(f"not judged: {worst.not_judged} objects that only queued cleanups keep, of which BEFORE has no record")
    if worst.unseen:
        print(f"not refereed: {worst.unseen} objects that Go keeps by roots which no dump holds, or allocated since")
    if worst.missing:
        print("missing at " + ", ".join(map(hex, worst.missing_at)))
    for name, run in runs.items():
        if run.violation:
            print(f"{name}: {run.violation}")
    status = int(any(run.violation or not run.verdict.holds for run in runs.values()))
    print(
        f"{'failed' if status else 'ok'}: missing {worst.missing}, extra {worst.extra}, new {worst.new}"
        f" in {len(runs)} runs"
    )
    if path:
        cycles = [stats for run in runs.values() for stats in run.cycles]
        summary = {**worst.as_dict(), "cycles": len(runs), **marks(cycles)}
        path.writejson({**summary, "runs": {name: run.as_dict() for name, run in runs.items()}})
    return status
