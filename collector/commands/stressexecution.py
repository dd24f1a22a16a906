"""One stress run from the command line: set up, run, reported; what ends it early is told, with its log kept."""

from __future__ import annotations

import platform
import sys
from contextlib import ExitStack
from dataclasses import replace
from shlex import quote
from threading import main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector import heaps
from collector.audit.violation import Violation
from collector.commands import stressnamed
from collector.commands.limits import limits
from collector.commands.outputs import Outputs
from collector.commands.plantedfault import schedule, unshown
from collector.commands.status import VIOLATION
from collector.commands.usage import fitting
from collector.report.progress import Progress
from collector.report.run.failure import failure
from collector.report.run.gctrace import gctrace
from collector.report.run.gctracetoday import GctraceToday, Sizes, assisttime
from collector.report.run.lost import Explained
from collector.report.run.summary import Summary
from collector.stress.interrupts import Interrupts
from collector.stress.run import Stress, gil
from collector.stress.watchdog import LastResort
from workbuf.counted import counted
from workbuf.hardware.limits import Shortage
from workbuf.throw import Throw


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collector.commands.stressnamed import Driving
    from collector.report.run.lost import Why
    from collector.stress.run import CycleReport, Plan
    from workbuf.recorder import Record


ENOUGH = 50_000
"""Objects of this interpreter's heap that are taken where all would be too many."""
SLOW_S = {True: 0.25, False: 0.7}
"""Seconds of reading above which they are, with a GIL and without: where three concurrent cycles over all take eight."""


def interpreter() -> str:
    """Which Python this is, and whether it has a GIL."""
    return f"{platform.python_version()}, GIL {'on' if gil() else 'off'}"


def execute(args: argparse.Namespace, what: Plan, facts: dict[str, Any], driving: Driving | None = None) -> int:
    """Set the run up, run it, report it."""
    began = monotonic()
    command = facts["command"]
    run = loaded(args, what, driving)
    # A signal sets only the abort flag, and at once: the threads stop and leave the processors to the writing of what there
    # is.  machine.abort takes locks, so it is called later, when the main thread asks whether a signal has come.
    with ExitStack() as stack:
        interrupts = stack.enter_context(Interrupts(lambda: run.machine.poke(run.machine.aborted, 1)))
        outputs = Outputs(args, run, facts, lambda: bool(interrupts.count or run.machine.failure))
        resort = stack.enter_context(LastResort(run, lambda: run.beats + outputs.beats, interrupts, run.patience))
        error = collect(run, outputs, lines(run, quiet=args.quiet, in_both=args.gctrace), interrupts)
        resort.ending = True
        rest = drained(run)
        outputs.end(rest, error)
        if isinstance(error, Shortage):
            raise error
        summary = Summary.of(run, interpreter(), monotonic() - began, error)
        if driving and error is None:
            summary = driving.said(summary, run)
        print(summary.table(), flush=True)
        told, why = "", None
        if error and not isinstance(error, KeyboardInterrupt):
            why = explained(error, run, rest)
            told = failure(error, rest, run.threads, run.buffername, run.machine.boot().words, command, what.seed, why)
            thread = run.machine.failure.thread if run.machine.failure else "the watchdog"
            print(f"\nin thread {thread}:\n{told}", file=sys.stderr)
        outputs.reports(summary, verdict(summary, error) if told else "", told, why)
        if isinstance(error, KeyboardInterrupt) or (error and ownfault(run, error)):
            raise error
    if error is not None and args.log and not args.log.failed:
        print(f"find a schedule that fails in the same way: python -m collector.run hunt {quote(str(args.log))}")
    if args.plant and error is None:
        print(f"\n{unshown(args.plant)}")
    if args.plant and args.repeat == 1 and not args.all:
        explored = schedule(args.plant)
        print(f"\n{explored}\n" if explored else "", end="")
    print(verdict(summary, error), flush=True)
    return VIOLATION if error is not None else stressnamed.concluded(summary)


def explained(error: BaseException, run: Stress, rest: list[Record]) -> Why | None:
    """Why an object was lost, if one was."""
    path = error.path if isinstance(error, Violation) else None
    return Explained(path, rest, run.stores(), run.threads, run.buffername).why() if path else None


def ownfault(run: Stress, error: BaseException) -> bool:
    """Did the main thread raise it, which runs no part of the model?  That is no violation."""
    where = run.machine.failure
    return where is not None and where.thread == main_thread().name and not isinstance(error, Throw | Violation)


def drained(run: Stress) -> list[Record]:
    """The events since the last cycle, or none where there is no memory for them."""
    try:
        return run.recorder.drain()
    except MemoryError:
        return []


def loaded(args: argparse.Namespace, what: Plan, driving: Driving | None) -> Stress:
    """The run with its heap loaded; prints what was loaded."""
    began = monotonic()
    with Progress(f"reading {args.heap}") as progress, fitting(args.heap):
        graph = None if args.heap == "none" else heaps.read(args.heap, progress.part, limits(args))
        reading = monotonic() - began
        if graph and args.heap == "cpython" and not args.cycles and graph.objects > ENOUGH and reading > SLOW_S[gil()]:
            progress.line(
                f"{args.heap}: cut from {graph.objects} objects to {ENOUGH}: here {reading:.1f} s go by in reading them,"
                " and cycles over all would not fit into the time"
            )
            graph = heaps.read(args.heap, progress.part, replace(limits(args), objects=ENOUGH))
        progress.say("placing it in the model's heap")
        run = Stress(what, graph, stressnamed.planted(args, driving), progress=progress.part)
    print(
        f"{args.heap}: {counted(run.objects, 'object')} loaded in {monotonic() - began:.1f} s;"
        f" {counted(what.config.mutators, 'mutator')}, {counted(what.config.helpers, 'helper')}, seed {what.seed},"
        f" {interpreter()}, atomics {run.machine.binding}",
        flush=True,
    )
    return run


def collect(
    run: Stress, outputs: Outputs, lines: Callable[[CycleReport], list[str]], interrupts: Interrupts
) -> BaseException | None:
    """Run to the end; returns what ended it early.  A worker that raised anything at all is a violation."""
    with Progress("collecting", run.plan.cycles, run.plan.seconds) as progress:

        def seen(report: CycleReport) -> None:
            for line in lines(report):
                progress.line(line)
            outputs.cycle(report)
            progress.advance()

        def ticked() -> None:
            outputs.tick()
            progress.tick(f"cycle {len(run.reports) + 1}, {run.phase}")
            interrupts.check()

        try:
            run.run(seen, ticked)
            interrupts.check()
        except BaseException as found:  # noqa: BLE001  reported by the caller
            return found
    return None


def verdict(summary: Summary, error: BaseException | None) -> str:
    """The last line."""
    if error is None:
        return summary.okline()
    kind = error.kind if isinstance(error, Violation) else "throw" if isinstance(error, Throw) else "crash"
    return f"failed: {kind}: {error.text if isinstance(error, Throw) else f'{type(error).__name__}: {error}'}"


def lines(run: Stress, *, quiet: bool, in_both: bool) -> Callable[[CycleReport], list[str]]:
    """What to print for each cycle of `run`: Go's line of 2015, unless quiet, and today's, if asked for."""
    today = GctraceToday()

    def said(report: CycleReport) -> list[str]:
        made = [] if quiet else [gctrace(report.stats)]
        if in_both:
            sizes = Sizes.of(run.world, report.stats.goroutines)
            made.append(today.line(report.stats, report.reach, assisttime(report.events), sizes))
        return made

    return said
