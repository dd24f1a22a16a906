"""Go as referee: collect BEFORE with our threads and compare, address by address, with what Go kept in AFTER.

The collector runs several times over the same dump: with the world stopped and concurrently, with and without helpers,
and with mutators whose write barriers are busy.  Missing must be 0 in every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector import heaps
from collector.commands.usage import atleast, checkwritable, writejson
from collector.heaps.referee import check_pair, compare
from collector.keep import BUSY, Keep
from collector.report.log import tostderr
from collector.report.progress import Progress
from collector.report.tables import table
from collector.runtime import Config
from collector.stress import Plan


if TYPE_CHECKING:
    import argparse


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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `referee`."""
    add = parser.add_argument
    add("before", help="the dump made before runtime.GC()")
    add("after", help="the dump made after it, by the same process")
    add("--helpers", type=atleast(1), default=2, metavar="N", help="helpers where a run has any (2)")
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the mutators (1)")
    add("--json", metavar="FILE", help="write the verdict of the worst run, and all of them")


def main(args: argparse.Namespace) -> int:
    """Collect in every mode, compare; returns the exit status."""
    tostderr("WARNING")
    checkwritable("--json", args.json)
    with Progress(f"reading {args.before}") as progress:
        before = heaps.read(args.before, progress.part)
        progress.say(f"reading {args.after}")
        after = heaps.read(args.after, progress.part)
    check_pair(before, after)
    verdicts = {}
    for mode in modes(args.helpers):
        programs = BUSY if mode.busy else ()
        plan = Plan(
            config=Config(mutators=len(programs), helpers=mode.helpers),
            programs=programs,
            cycles=1,
            concurrent=mode.concurrent,
            period=0.2,
            seed=args.seed,
        )
        with Progress(mode.name):
            kept = Keep(plan, before).result(before)
        verdicts[mode.name] = compare(before, after, kept.kept)
    worst = max(verdicts.values(), key=lambda verdict: (verdict.missing, verdict.extra))
    head = ("run", "kept", "kept by Go", "missing", "extra", "new", "reused")
    print(
        table(
            [
                (name, *(str(n) for n in (v.kept, v.kept_by_go, v.missing, v.extra, v.new, v.reused)))
                for name, v in verdicts.items()
            ],
            head,
        )
    )
    phantoms = "as many as it must" if worst.phantoms_agree else f"not the {worst.phantoms_expected} that it must"
    print(f"AFTER holds {worst.phantoms} objects that nothing reaches, {phantoms}")
    if worst.missing:
        print("missing at " + ", ".join(map(hex, worst.missing_at)))
    if args.json:
        summary = {**worst.as_dict(), "cycles": len(verdicts)}
        writejson(args.json, {**summary, "runs": {name: v.as_dict() for name, v in verdicts.items()}})
    status = int(not all(verdict.holds for verdict in verdicts.values()))
    print(
        f"{'failed' if status else 'ok'}: missing {worst.missing}, extra {worst.extra}, new {worst.new}"
        f" in {len(verdicts)} runs"
    )
    return status
