"""The options of a stress run, and the plan that they ask for."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from collector.commands import stressnamed
from collector.commands.files import Input, Named, Output, same
from collector.commands.limits import add_limits
from collector.commands.outputs import END_SECONDS
from collector.commands.parser import completes, meant
from collector.commands.usage import SWITCH_INTERVAL, UsageError, atleast, between, given, listed, positive, toomany
from collector.faults import FAULTS
from collector.report.atomicwrite import replaceable
from collector.report.log.rotation import rotation
from collector.report.log.writer import COMPRESSIONS
from collector.runtime import Config
from collector.stress.run import Plan
from mutator.programs.registry import PROGRAMS
from workbuf.buffer import gcinit
from workbuf.hardware.selftest import AUTO, BINDINGS
from workbuf.lfstack import CNT_BITS
from workbuf.throw import Throw


if TYPE_CHECKING:
    import argparse

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
    completes(add("scenario", nargs="?", type=given, metavar="NAME", help=what), lambda _: stressnamed.NAMES)
    add("--list", action="store_true", help="print the scenarios, and what each is for")
    add("--heap", type=Input, help="a heap dump, or cpython (default), synthetic:SPEC or none")
    add("--mutators", type=atleast(0, MOST_THREADS), metavar="N", help="threads that run programs (4)")
    add("--helpers", type=atleast(0, MOST_THREADS), default=2, metavar="N", help="idle Ms, of which up to 31 mark (2)")
    add(
        "--cycles",
        type=atleast(1),
        default=0,
        metavar="N",
        help="N cycles, the last one forced, instead of by the clock",
    )
    fit = "S seconds for all cycles: none begins that would not fit in (9; NAME 5; --all 60)"
    add("--seconds", type=positive, metavar="S", help=fit)
    add("--period", type=positive, metavar="S", help="rest at most S seconds between cycles (0.1)")
    names = ", ".join(PROGRAMS)
    one = "one a mutator, and no more than there are mutators; again from the first"
    add("--programs", type=listed("program"), metavar="A,B,..", help=f"{one}: {names}")
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
    completes(add("--plant", type=given, metavar="FAULT", help=plant), lambda _: ("list", *FAULTS))
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
    names = args.programs or DEFAULT_PROGRAMS.split(",")
    for name in names:
        if name not in PROGRAMS:
            near = meant(name, PROGRAMS)
            raise UsageError(f"--programs: {name!r} is no program{near}; there are {', '.join(PROGRAMS)}")
    if {"finalizers", "finalizerchains"} <= {*names}:
        raise UsageError(
            "--programs: finalizers and finalizerchains would run each other's finalizers: name one of them"
        )
    if args.programs and len(names) > args.mutators:
        raise UsageError(toomany(names, args.mutators))
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
    args.mutators = MUTATORS if args.mutators is None else args.mutators


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
