"""Mark a real heap with real threads, cycle after cycle, and audit every mark.

The default: four mutators and two helpers on the running interpreter's own object graph, about ten seconds.
"""

from __future__ import annotations

import platform
import shlex
import sys
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from random import SystemRandom
from threading import main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector import heaps
from collector.audit.violation import Violation
from collector.commands import stressnamed
from collector.commands.files import Input, Named, Output, same
from collector.commands.limits import add_limits, limits
from collector.commands.outputs import END_SECONDS, Outputs
from collector.commands.parser import completes, meant
from collector.commands.series import mixed, repeated
from collector.commands.status import VIOLATION, WEAKER
from collector.commands.usage import (
    SWITCH_INTERVAL,
    UsageError,
    atleast,
    between,
    fitting,
    positive,
    switching,
)
from collector.faults import FAULTS
from collector.report.atomicwrite import replaceable
from collector.report.log.rotation import rotation
from collector.report.log.writer import COMPRESSIONS, tostderr
from collector.report.progress import Progress
from collector.report.run.failure import failure
from collector.report.run.gctrace import gctrace
from collector.report.run.gctracetoday import GctraceToday, Sizes, assisttime
from collector.report.run.summary import Summary
from collector.report.tables import flowed
from collector.runtime import Config
from collector.stress.interrupts import Interrupts
from collector.stress.run import Plan, Stress, gil
from collector.stress.watchdog import LastResort
from mutator.programs.registry import PROGRAMS
from workbuf.buffer import gcinit
from workbuf.hardware.limits import Shortage
from workbuf.hardware.selftest import AUTO, BINDINGS
from workbuf.lfstack import CNT_BITS
from workbuf.throw import Throw


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collector.commands.stressnamed import Driving
    from collector.stress.run import CycleReport
    from workbuf.recorder import Record

EXAMPLES = {
    "stress": "this interpreter's own heap, about ten seconds; `stress` may be left out",
    "stress --heap synthetic:random,n=500,m=1000,seed=1 --cycles 2": "a small heap, two cycles",
    "stress --heap FILE --log run.log --trace run.json --html run.html": "a heap dump; write log, timeline and page",
    "stress --heap synthetic:random,n=500 --cycles 5 --until-failure": "again and again, each time with the next seed",
    "stress --plant FAULT --heap synthetic:random,n=1000": "with a planted fault, which a check should find",
    "stress contention": "a scenario, which drives one mechanism",
    "stress lfstack --count-bits 0": "an ABA on hardware",
}
ENDS = {
    VIOLATION: "a throw, a lost object, a leak or a hang; what failed, and the command that runs it again",
    WEAKER: "a scenario's mechanism was not driven; one line says how far it was",
}
MOST_THREADS = 128
"""Of each kind: with more, a GIL build takes so long to stop the world that it looks hung."""
MOST_PROCS = 1 << 10
"""Processors, and Ps; Go's own limit for long."""
LARGEST_WORKBUF = 32 << 10
"""Bytes; persistentalloc makes no chunk for larger blocks."""
EVERY_EVENT = 1 << 20
"""Events a thread keeps until the cycle is over where every one is wanted: about one for each object it scans."""
MAX_GOGC = (1 << 31) - 1
"""Go reads GOGC into an int32."""
ALL_HEAP, ALL_PERIOD, ALL_MINIMUM, ALL_SECONDS = "synthetic:random,n=1000", 0.01, 256 << 10, 60.0
"""What --all takes: a heap, a rest and a goal that make for many short cycles; seconds in all."""
SECONDS = 9.0
MUTATORS = 4
DAWDLE = 0.01
PERIOD = 0.1
DEFAULT_PROGRAMS = "rewire,pushpop,hider,finalizers,channel,bintree,channel,longlist"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `stress`."""
    add = parser.add_argument
    what = "a scenario, which drives one mechanism; --list prints them"
    completes(add("scenario", nargs="?", metavar="NAME", help=what), lambda _: stressnamed.NAMES)
    add("--list", action="store_true", help="print the scenarios, and what each is for")
    add("--heap", type=Input, help="a heap dump, or cpython (default), synthetic:SPEC or none")
    add("--mutators", type=atleast(0, MOST_THREADS), metavar="N", help="threads that run programs (4)")
    add("--helpers", type=atleast(0, MOST_THREADS), default=2, metavar="N", help="idle Ms, of which up to 31 mark (2)")
    add(
        "--cycles",
        type=atleast(1),
        default=0,
        metavar="N",
        help="end after N concurrent cycles and a forced one, not by the clock",
    )
    add("--seconds", type=positive, metavar="S", help="start no cycle after S seconds (9; NAME 5; --all 60)")
    add("--period", type=positive, metavar="S", help="rest at most S seconds between cycles (0.1)")
    names = ", ".join(PROGRAMS)
    add("--programs", metavar="A,B,..", help=f"one a mutator, again from the first: {names}")
    add("--workbuf", type=atleast(1), default=256, metavar="BYTES", help="size of a work buffer (256)")
    add("--gogc", default="100", metavar="PERCENT", help="heap growth that starts a cycle, or off (100)")
    add("--ncpu", type=atleast(1, MOST_PROCS), default=0, metavar="N", help="processors of the model (helpers + 1)")
    procs = "Ps of the model: a mutator has one, the collector has one, others idle (as many as let all helpers mark)"
    add("--gomaxprocs", type=atleast(1, MOST_PROCS), default=0, metavar="N", help=procs)
    add("--seed", type=atleast(0), default=None, metavar="N", help="seed of programs and jitter (drawn and printed)")
    add(
        "--atomics",
        choices=(AUTO, *BINDINGS),
        default=AUTO,
        help="the binding to the atomics: the fastest available (auto); public is far slower, take a small heap",
    )
    switch = "seconds between two switches of threads on a build with a GIL (1e-4)"
    add("--switch-interval", type=between(1e-6, 1.0), default=SWITCH_INTERVAL, metavar="S", help=switch)
    add(
        "--jitter",
        type=between(0.0, 1.0),
        default=0.0,
        metavar="P",
        help="probability of an extra delay before an atomic, but for the setting of a mark (0)",
    )
    add(
        "--dawdle",
        type=between(0.0, 1.0),
        metavar="P",
        help="the same, for two threads of three only (0.01, less with more than 4 mutators)",
    )
    what = "all programs and all scenarios, in turn on small heaps; files are the last run's"
    add("--all", action="store_true", help=what)
    what = f"of lfstack: bits of the push count; 0 invites an ABA ({CNT_BITS})"
    add("--count-bits", type=atleast(0, CNT_BITS), default=CNT_BITS, metavar="N", help=what)
    add(
        "--repeat",
        type=atleast(1),
        default=1,
        metavar="N",
        help="N runs with one seed after the next, until one fails (1)",
    )
    add("--until-failure", dest="repeat", action="store_const", const=0, help="the same, without end")
    plant = "run with a planted fault, which a check should find; list: print them all"
    completes(add("--plant", metavar="FAULT", help=plant), lambda _: ("list", *FAULTS))
    add(
        "--patience",
        type=between(0.5, 1e9),
        default=60.0,
        metavar="S",
        help="a run without progress for S seconds counts as hung (60)",
    )
    add("--checkmark", action="store_true", help="mark twice, the second time to verify the first")
    end = f"a run that ends early takes {END_SECONDS:g} s for it, the newest events first"
    add("--log", type=Named, metavar="FILE", help=f"write every protocol event as JSON lines; {end}")
    add("--log-rotation", type=rotation, metavar="WHEN", help='go on in a new file: "100 MB", "10 minutes", "18:00"')
    add("--log-compression", choices=COMPRESSIONS, help="pack each file of the log when it is finished")
    add("--trace", type=Output, metavar="FILE", help="write a timeline for ui.perfetto.dev")
    add("--html", type=Output, metavar="FILE", help="write a report of the run as a page")
    add("--gctrace", action="store_true", help="print each cycle's line in today's Go format too")
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    add(
        "--log-level",
        default="WARNING",
        choices=levels,
        metavar="LEVEL",
        help="least level of messages on stderr (WARNING)",
    )
    add("--json", type=Output, metavar="FILE", help="write the summary; - is standard output")
    add("--quiet", action="store_true", help="no line for each cycle")
    add_limits(parser)


def plan(args: argparse.Namespace) -> Plan:
    """The run that the options ask for; raises UsageError."""
    if args.scenario:
        stressnamed.fill(args)
    if args.count_bits != CNT_BITS and args.scenario != "lfstack":
        raise UsageError("--count-bits is of the scenario lfstack")
    fill(args)
    names = [name.strip() for name in args.programs.split(",") if name.strip()]
    for name in names:
        if name not in PROGRAMS:
            near = meant(name, PROGRAMS)
            raise UsageError(f"--programs: {name!r} is no program{near}; there are {', '.join(PROGRAMS)}")
    if {"finalizers", "finalizerchains"} <= {*names}:
        raise UsageError(
            "--programs: finalizers and finalizerchains would run each other's finalizers: name one of them"
        )
    if args.mutators and not names:
        raise UsageError("--programs: name at least one program for the mutators")
    if args.workbuf > LARGEST_WORKBUF:
        raise UsageError(f"--workbuf {args.workbuf}: at most {LARGEST_WORKBUF} bytes; Go has used 256 to 4096")
    try:
        gcinit(args.workbuf)
    except Throw as error:
        raise UsageError(f"--workbuf {args.workbuf}: {error.text}; 112 or more, a multiple of 8") from None
    try:
        percent = -1 if args.gogc == "off" else int(args.gogc)
    except ValueError:
        raise UsageError(f"--gogc {args.gogc}: a whole number of percent, or off") from None
    if percent > MAX_GOGC:
        raise UsageError(f"--gogc {args.gogc}: at most {MAX_GOGC}, or off")
    if 0 < args.gomaxprocs <= args.mutators:
        raise UsageError(
            f"--gomaxprocs {args.gomaxprocs}: each of {args.mutators} mutators and the collector has a P of its own:"
            f" {args.mutators + 1} or more, or fewer --mutators"
        )
    keeping = bool(args.log or args.trace or args.gctrace)
    return Plan(
        config=Config(
            mutators=args.mutators,
            helpers=args.helpers,
            ncpu=args.ncpu,
            gomaxprocs=args.gomaxprocs,
            wbufsize=args.workbuf,
            gcpercent=percent,
            checkmark=args.checkmark,
            heapminimum=ALL_MINIMUM if args.all else Config.heapminimum,
        ),
        programs=tuple(islice(cycle(names), args.mutators)),
        cycles=args.cycles,
        seconds=args.seconds,
        period=args.period,
        seed=SystemRandom().randrange(1 << 32) if args.seed is None else args.seed,
        binding=args.atomics,
        jitter=args.jitter,
        dawdle=dawdling(args.mutators) if args.dawdle is None else args.dawdle,
        newborn=args.all,
        patience=args.patience,
        ring=EVERY_EVENT if keeping else Plan.ring,
        events=keeping,
    )


def dawdling(mutators: int) -> float:
    """The share of its atomics before which a thread dawdles: less where there are more mutators than usual.

    With a GIL a thread that dawdles waits for all the others, and then has one turn of theirs: the collector would fall
    behind what eight mutators allocate, and its mark never end.
    """
    return DAWDLE * min(MUTATORS / max(mutators, 1), 1) ** 2


def checkparts(args: argparse.Namespace) -> None:
    """Raise UsageError for a log that cannot have parts, and if one would be packed into another option's file."""
    if (args.log_rotation or args.log_compression) and not args.log:
        raise UsageError("--log-rotation and --log-compression are about the file of --log FILE: name one")
    if (args.log_rotation or args.log_compression) and not replaceable(Path(args.log)):
        raise UsageError(f"--log {args.log}: only a regular file of its own can be rotated or compressed")
    if not args.log_compression:
        return
    packed = f"{args.log}.{args.log_compression}"
    for name, value in vars(args).items():
        if isinstance(value, Input | Output) and same(value, packed):
            raise UsageError(
                f"--log-compression {args.log_compression}: the log would be packed into {packed}, which is that of"
                f" --{name}: give the log another name"
            )


def fill(args: argparse.Namespace) -> None:
    """Give the options their values that depend on --all, where none was given."""
    defaults = (Input(ALL_HEAP), ALL_PERIOD, ALL_SECONDS) if args.all else (Input("cpython"), PERIOD, SECONDS)
    for option, value in zip(("heap", "period", "seconds"), defaults, strict=True):
        if getattr(args, option) is None:
            setattr(args, option, value)
    if args.all and (args.programs or args.mutators or args.cycles or args.repeat != 1):
        raise UsageError(
            "--all: it says which programs run and for how long; leave out --programs, --mutators, --cycles, --repeat"
        )
    args.programs = args.programs or DEFAULT_PROGRAMS
    args.mutators = MUTATORS if args.mutators is None else args.mutators


def interpreter() -> str:
    """Which Python this is, and whether it has a GIL."""
    return f"{platform.python_version()}, GIL {'on' if gil() else 'off'}"


def main(args: argparse.Namespace) -> int:
    """Run, print, write; returns the exit status."""
    tostderr(args.log_level)
    if args.plant == "list":
        print(flowed("\n".join(f"{fault.name:30} {fault.what}" for fault in FAULTS.values())))
        if args.json:
            args.json.writejson({"faults": {fault.name: fault.what for fault in FAULTS.values()}})
        return 0
    if args.plant and args.plant not in FAULTS:
        near = meant(args.plant, FAULTS)
        raise UsageError(f"--plant {args.plant}: there is no such fault{near}; --plant list says which there are")
    if args.list:
        print(stressnamed.printed())
        if args.json:
            args.json.writejson({"scenarios": stressnamed.listed()})
        return 0
    what = plan(args)
    checkparts(args)
    argv = [word for word in sys.argv[1:] if word != "stress"] if sys.argv else []

    def facts(plan: Plan) -> dict[str, Any]:
        # Of an option that is given twice the last one counts.
        once = ["--repeat", "1"] if args.repeat != 1 else []
        seed = what.seed if args.all else plan.seed
        drawn = ["--seed", str(seed)] if args.seed is None or once else []
        command = shlex.join(["python", "-m", "collector.run", "stress", *argv, *once, *drawn])
        return {"seed": plan.seed, "python": interpreter(), "command": command}

    def run(plan: Plan, driving: Driving | None = None) -> int:
        return execute(args, plan, facts(plan), driving)

    with switching(args.switch_interval):
        if args.all:
            return stressnamed.everything(args, what, mixed, run, facts)
        if args.scenario:
            return stressnamed.one(args, what, run, facts(what))
        return repeated(what, args.repeat, run)


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
        told = ""
        if error and not isinstance(error, KeyboardInterrupt):
            told = failure(error, rest, run.threads, run.machine.boot().words, command, what.seed)
            thread = run.machine.failure.thread if run.machine.failure else "the watchdog"
            print(f"\nin thread {thread}:\n{told}", file=sys.stderr)
        outputs.reports(summary, told)
        if isinstance(error, KeyboardInterrupt) or (error and ownfault(run, error)):
            raise error
        print(verdict(summary, error), flush=True)
    return VIOLATION if error is not None else stressnamed.concluded(summary)


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
        progress.say("placing it in the model's heap")
        run = Stress(what, graph, stressnamed.planted(args, driving), progress=progress.part)
    print(
        f"{args.heap}: {run.objects} objects loaded in {monotonic() - began:.1f} s;"
        f" {what.config.mutators} mutators, {what.config.helpers} helpers, seed {what.seed}, {interpreter()},"
        f" atomics {run.machine.binding}",
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
