"""Compare designs of Go's work buffers, from the one before the seed on: contention, stops, buffers, waiting.

The same heaps, programs and seeds for each, on the stepped machine and on real threads; medians and ranges over seeds, and
ratios to the seed's.  One thing is varied at a time.
"""

from __future__ import annotations

import argparse
import shlex
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING

from collector import heaps
from collector.commands.files import Input, Output
from collector.commands.limits import add_limits, limits
from collector.commands.parser import PROGRAM, RUN, completes, oneof
from collector.commands.status import OK, VIOLATION, WEAKER
from collector.commands.stressexecution import interpreter
from collector.commands.usage import UsageError, atleast, fitting, listed, switching, toomany
from collector.compare.comparison import AXES, Comparison, points
from collector.compare.figures import MACHINES, MEASURES, STEPPED, THREADS
from collector.compare.setup import PROGRAMS, Setup
from collector.designs.registry import DESIGNS
from collector.heaps import Limits
from collector.report.designs import comparepage, head, lacks, record, rows, text
from collector.report.progress import Progress
from collector.report.tables import table
from collector.stress.interrupts import Interrupts
from mutator.programs.registry import PROGRAMS as ALL
from workbuf.buffer import gcinit
from workbuf.counted import counted
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.heaps.graph import Graph

EXAMPLES = {
    "compare parent seed": "the commit's two claims",
    "compare parent seed --on stepped --seeds 2": "counted on the stepped machine alone",
    "compare seed parent --axis ms --on stepped": "contention at up to 64 Ms",
    "compare --axis heaps --heap FILE --heap cpython --max-objects 20000 --on threads": "on real heaps",
    "compare --html compare.html": "with charts",
}
ENDS = {
    VIOLATION: "a run broke an invariant or did not end; the last lines say which",
    WEAKER: "what is to be measured did not happen in some run: no barrier, no helper that marked",
}
MUTATORS, HELPERS = 4, 2
"""Unless options say otherwise."""
SHAPES = ("random", "list", "wide")
OBJECTS = {STEPPED: 300, THREADS: 5000}
"""Of a synthetic heap, unless one is named."""
KEYS = [measure.key for measure in MEASURES]
MOST_STEPPED = 20_000
"""Objects that the stepped machine takes: a mark of so many is some minutes."""
ALONG_MS = ("pushpop",)
"""What all mutators run where their number is varied, so that nothing else varies."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `compare`."""
    add = parser.add_argument
    names = add("names", nargs="*", type=oneof(DESIGNS), metavar="DESIGN", help=f"by default all: {', '.join(DESIGNS)}")
    completes(names, lambda _: DESIGNS)
    add("--axis", choices=AXES, default="designs", help="what is varied beside the design (designs: nothing)")
    add(
        "--points",
        type=listed("point"),
        default=(),
        metavar="LABELS",
        help="some of the axis's, as 1,8,64 with --axis ms (all)",
    )
    add("--on", choices=(*MACHINES, "both"), default="both", help="the machine (both)")
    add(
        "--heap",
        action="append",
        type=Input,
        default=[],
        metavar="HEAP",
        help=f"a heap dump, cpython ({MOST_STEPPED} objects of it at most) or synthetic:SPEC; several for --axis heaps "
        "(random, with it list and wide as well)",
    )
    add("--seeds", type=atleast(1, 1000), default=5, metavar="N", help="runs of each, with seeds 1 to N (5)")
    add("--mutators", type=atleast(1, 64), metavar="N", help=f"Ms that run programs ({MUTATORS})")
    add("--helpers", type=atleast(0, 31), metavar="N", help=f"Ms that help in mark termination ({HELPERS})")
    add("--cycles", type=atleast(1, 1000), default=3, metavar="N", help="concurrent cycles of a run (3)")
    add(
        "--programs",
        type=programs,
        metavar="NAMES",
        help=f"what the mutators run, in turn ({','.join(PROGRAMS)}; with --axis ms {','.join(ALONG_MS)})",
    )
    add("--workbuf", type=size, default=0, metavar="BYTES", help="size of a buffer, for all designs (each has its own)")
    add(
        "--measure",
        action="append",
        default=[],
        choices=KEYS,
        metavar="KEY",
        help=f"one that is wanted, several times (all: {', '.join(KEYS)})",
    )
    add("--json", type=Output, metavar="FILE", help="write all runs' figures and ratios; - is standard output")
    add("--html", type=Output, metavar="FILE", help="write a page with charts and tables")
    add("--markdown", type=Output, metavar="FILE", help="write the tables as Markdown; - is standard output")
    add_limits(parser)


def programs(names: str) -> tuple[str, ...]:
    """An argparse type: names of programs, separated by commas."""
    return tuple(map(oneof(ALL), listed("program")(names)))


def size(text: str) -> int:
    """An argparse type: bytes in a buffer."""
    number = atleast(1, 1 << 15)(text)
    try:
        gcinit(number)
    except Throw as bad:
        raise argparse.ArgumentTypeError(f"{number}: {bad}: a multiple of 8, 112 or more") from None
    return number


def main(args: argparse.Namespace) -> int:
    """Run, print, write; returns the exit status."""
    begun = monotonic()
    if args.axis != "heaps" and len(args.heap) > 1:
        raise UsageError(f"--heap: {len(args.heap)} heaps need --axis heaps")
    if args.axis == "sizes" and args.workbuf:
        raise UsageError("--workbuf: --axis sizes varies it")
    given = [name for name in ("mutators", "helpers") if getattr(args, name) is not None]
    if args.axis == "ms" and given:
        raise UsageError(f"--{given[0]}: --axis ms varies it; --points says which numbers of mutators")
    if args.points and args.axis == "designs":
        raise UsageError("--points: --axis designs has none; name some designs, or another axis")
    if args.programs and "channel" in args.programs:
        raise UsageError("--programs: channel blocks, and a mutator that waits runs no barriers to be measured")
    mutators = MUTATORS if args.mutators is None else args.mutators
    if args.axis != "ms" and len(args.programs or ()) > mutators:
        raise UsageError(toomany(args.programs, mutators))
    made = [comparison(args, machine) for machine in (MACHINES if args.on == "both" else (args.on,))]
    progress = Progress("compare", sum(of.length for of in made))
    with progress, Interrupts() as interrupts, switching(), suppress(KeyboardInterrupt):  # what there is is told
        for _ in chain.from_iterable(of.perform(interrupts.check) for of in made):
            progress.advance()
            interrupts.check()
    return told(args, made, monotonic() - begun, interrupted=interrupts.count > 0)


def comparison(args: argparse.Namespace, machine: str) -> Comparison:
    """What the options ask for on one machine."""
    graphs = read(args, machine)
    chosen = args.programs or (ALONG_MS if args.axis == "ms" else PROGRAMS)
    setup = Setup(
        next(iter(graphs.values())),
        mutators=MUTATORS if args.mutators is None else args.mutators,
        helpers=HELPERS if args.helpers is None else args.helpers,
        programs=chosen,
        cycles=args.cycles,
        wbufsize=args.workbuf,
    )
    designs = [DESIGNS[name] for name in dict.fromkeys(args.names or DESIGNS)]
    wanted = [measure for measure in MEASURES if measure.key in (args.measure or KEYS)]
    along = points(args.axis, setup, graphs)
    if unknown := set(args.points) - {point.label for point in along}:
        raise UsageError(f"--points {unknown.pop()}: there are {', '.join(point.label for point in along) or 'none'}")
    along = [point for point in along if point.label in args.points] or along
    return Comparison(machine, args.axis, designs, along, args.seeds, wanted)


def read(args: argparse.Namespace, machine: str) -> dict[str, Graph]:
    """The heaps, by name; raises HeapError, or UsageError for one that is too large."""
    shapes = SHAPES if args.axis == "heaps" else SHAPES[:1]
    named = list(dict.fromkeys(args.heap))
    short = [heap.rpartition("/")[2] for heap in named]
    told = short if len(set(short)) == len(short) else named
    sources = dict(zip(told, named, strict=True)) or {
        shape: f"synthetic:{shape},n={OBJECTS[machine]}" for shape in shapes
    }
    graphs = {}
    for name, source in sources.items():
        bounds = limits(args)
        if source == "cpython":  # the reader cuts it there: the same number on both machines
            bounds = replace(bounds, objects=min(bounds.objects, MOST_STEPPED))
        with fitting(source):
            graph = heaps.read(source, None, bounds)
        if machine == STEPPED and graph.objects > MOST_STEPPED:
            raise UsageError(
                f"{source}: {counted(graph.objects, 'object')}; the stepped machine takes {MOST_STEPPED}: say --on threads"
            )
        graphs[name] = graph
    return graphs


def told(args: argparse.Namespace, made: Sequence[Comparison], seconds: float, *, interrupted: bool) -> int:
    """Print and write what was measured."""
    for of in made:
        seeds = counted(of.seeds, "seed")
        print(f"{of.machine}: {', '.join(design.name for design in of.designs)}, {seeds}; {interpreter()}")
        print(table(rows(of), head(of)))
        print(
            f"medians over seeds, ranges; behind x the ratio to {of.base.name}'s, seed by seed; see {RUN} guide designs\n"
        )
    for line in lacks(made):
        print(line)
    failed = sum(len(of.failed) for of in made)
    runs = failed + sum(len(figures) for of in made for figures in of.runs.values())
    count = counted(runs, "run")
    outcome = f"{count} in {seconds:.0f} s, {failed} failed{', interrupted' if interrupted else ''}"
    print(outcome)
    if args.json:
        args.json.writejson({"comparisons": list(map(record, made)), "seconds": round(seconds, 1)})
    if args.markdown:
        args.markdown.writetext(text(made))
    if args.html:
        args.html.writetext(comparepage(made, interpreter(), again(args), outcome, interrupted=interrupted))
    if interrupted:
        print(f"{PROGRAM} compare: interrupted after {runs} of {sum(of.length for of in made)} runs")
        raise KeyboardInterrupt
    return VIOLATION if failed else WEAKER if any(of.missing for of in made) else OK


def again(args: argparse.Namespace) -> str:
    """The command that measures the same once more."""
    names = ["axis", "on", "seeds", *(name for name in ("mutators", "helpers") if getattr(args, name) is not None)]
    names += ["cycles", "workbuf"]
    if limits(args) != Limits():
        names += ["max-heap", "max-objects", "max-ratio"]
    chosen = ["--programs", ",".join(args.programs)] if args.programs else []
    options = [f"--{name}={getattr(args, name.replace('-', '_'))}" for name in names]
    options += ["--trust"] if args.trust else []
    chosen += ["--points", ",".join(args.points)] if args.points else []
    chosen += [f"--measure={key}" for key in args.measure]
    return f"{RUN} {shlex.join(['compare', *args.names, *options, *(f'--heap={heap}' for heap in args.heap), *chosen])}"
