"""Describe a heap: counts, roots by kind, depth, chains, degrees, the share that is reachable.

With --mark, also load it into the model, mark it with real threads and hold the marks against traversals of the reader's
own graph.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from collector import heaps
from collector.commands.usage import atleast, checkwritable, writejson
from collector.heaps.describe import describe
from collector.heaps.oracle import differences, oracles
from collector.keep import Keep
from collector.report.log import tostderr
from collector.report.progress import Progress
from collector.report.tables import table
from collector.runtime import Config
from collector.stress import Plan


if TYPE_CHECKING:
    import argparse

    from collector.heaps.describe import Degrees, Description
    from collector.heaps.graph import Graph


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `heap`."""
    add = parser.add_argument
    add("source", help="a Go, V8 or JVM heap dump, plain or gzipped; cpython; synthetic:SPEC")
    add("--mark", action="store_true", help="mark it with our collector and compare with the oracles")
    add("--helpers", type=atleast(0), default=2, metavar="N", help="helpers of the mark (2)")
    add("--json", metavar="FILE", help="write the figures")


def main(args: argparse.Namespace) -> int:
    """Read, describe, perhaps mark; returns the exit status."""
    tostderr("WARNING")
    checkwritable("--json", args.json)
    began = monotonic()
    with Progress(f"reading {args.source}") as progress:
        graph = heaps.read(args.source, progress.part)
        read_s = monotonic() - began
        progress.say("describing it")
        figures = describe(graph)
    print(table(rows(figures)))
    summary = {**figures.as_dict(), "read_s": round(read_s, 3)}
    status = 0
    if args.mark:
        marked = mark(graph, args.helpers)
        summary.update(marked)
        print(table([(key, str(value)) for key, value in marked.items()]))
        status = int(bool(marked["lost"] or marked["wrongly_marked"]))
        print(f"{'failed' if status else 'ok'}: lost {marked['lost']}, wrongly marked {marked['wrongly_marked']}")
    if args.json:
        writejson(args.json, summary)
    return status


def mark(graph: Graph, helpers: int) -> dict[str, Any]:
    """Mark `graph` in one stopped cycle and compare with every oracle that can run."""
    plan = Plan(config=Config(mutators=0, helpers=helpers), programs=(), cycles=1, concurrent=False)
    kept = Keep(plan, graph).result(graph)
    lost = wrong = 0
    for oracle in oracles().values():
        reachable = oracle(graph)
        differ = differences(reachable, kept.marks)
        lost = max(lost, sum(1 for i in differ if reachable[i]))
        wrong = max(wrong, sum(1 for i in differ if not reachable[i]))
    return {
        "oracles": ", ".join(oracles()),
        "marked": sum(kept.marks),
        "lost": lost,
        "wrongly_marked": wrong,
        "load_s": round(kept.load_s, 2),
        "mark_s": round(kept.mark_s, 2),
    }


def rows(figures: Description) -> list[tuple[str, str]]:
    """The table, a row a line."""
    kinds = ", ".join(f"{name} {count}" for name, count in figures.roots_by_kind.items() if count)
    dropped = ", ".join(f"{count} {why}" for why, count in figures.dropped.items() if count)
    lines = [
        ("source", figures.source),
        ("format", f"{figures.format}, {figures.version}"),
        ("objects", f"{figures.objects}, {figures.bytes} bytes"),
        ("edges", f"{figures.edges}, {figures.interior} of them interior"),
        (
            "reachable",
            f"{figures.reachable} objects ({100 * figures.reachable_share:.1f} %), {figures.reachable_bytes} bytes",
        ),
        ("roots", f"{figures.roots}: {kinds or 'none'}"),
        ("stacks", f"{figures.goroutines} with {figures.frames} frames; {figures.finalizers} finalizers"),
        ("depth", f"{figures.depth} links; the widest level has {figures.levels_widest} objects"),
        ("longest chain", f"{figures.longest_chain} objects"),
        ("out-degree", degrees(figures.out_degree)),
        ("in-degree", degrees(figures.in_degree)),
    ]
    if dropped:
        lines.append(("left out", dropped))
    lines += [("note", note) for note in figures.notes]
    return lines


def degrees(of: Degrees) -> str:
    """A distribution in one line."""
    classes = ", ".join(f"{name}: {count}" for name, count in of.classes.items() if count)
    return f"mean {of.mean:.2f}, most {of.most}; {classes}"
