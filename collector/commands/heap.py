"""Describe a heap: counts, roots by kind, depth, chains, degrees, the share that is reachable.

With --mark, also load it into the model, mark it with real threads, and compare the marks with traversals of the graph
that was read.  With --types, count by type; with --path, say why an object is alive.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import zip_longest
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector import heaps
from collector.commands.files import Input, Output
from collector.commands.limits import add_limits, limits
from collector.commands.parser import meant
from collector.commands.status import VIOLATION
from collector.commands.usage import UsageError, atleast, fitting, switching
from collector.heaps.describe import describe
from collector.heaps.oracle import judge, scipy_missing
from collector.heaps.path import named, path
from collector.heaps.types import bytype
from collector.report.log.writer import tostderr
from collector.report.progress import Progress
from collector.report.tables import table
from collector.runtime import Config
from collector.stress.markers import IDLE, idle, marks, said
from collector.stress.run import Plan
from collector.stress.survivors import Keep
from mutator.world import MAX_GCPROC
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse

    from collector.heaps.describe import Degrees, Description
    from collector.heaps.graph import Graph
    from collector.heaps.path import Link

EXAMPLES = {
    "heap cpython": "this interpreter's own objects",
    "heap synthetic:random,n=1000,m=2000,seed=1 --mark": "mark it, compare with traversals",
    "heap cpython --types --most 5": "count and bytes by type",
    "heap cpython --path type": "why is an object of that type alive: a shortest path from a root",
    "heap FILE --path 0xc000012000": "or the object at an address",
    "heap FILE --json -": "the figures as JSON on stdout",
}
ENDS = {VIOLATION: "with --mark: an object was lost, or marked and not reachable"}
MOST = 20
"""Types that are listed, unless more are asked for."""
HELPERS = 2
"""Of the mark, unless more are asked for."""
SAMPLE = 10
"""Addresses of lost objects that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `heap`."""
    add = parser.add_argument
    add(
        "source",
        type=Input,
        metavar="FILE",
        help="a Go, V8 or JVM heap dump, plain or gzipped; cpython; synthetic:SPEC",
    )
    add("--mark", action="store_true", help="mark it with our collector and compare with the oracles")
    add("--types", action="store_true", help="count and bytes by type, where the format tells types")
    add("--most", type=atleast(1), metavar="N", help=f"with --types: types at most ({MOST})")
    add("--path", metavar="OBJECT", help="a shortest path from a root to an object: an address, or a type's name")
    helpers = f"with --mark: its helpers ({HELPERS})"
    add("--helpers", type=atleast(0, MAX_GCPROC - 1), metavar="N", help=helpers)
    add("--json", type=Output, metavar="FILE", help="write the figures; - is standard output")
    add_limits(parser)


def main(args: argparse.Namespace) -> int:
    """Read, describe, perhaps mark; returns the exit status."""
    for option, of in (("most", "types"), ("helpers", "mark")):
        if getattr(args, option) is not None and not getattr(args, of):
            raise UsageError(f"--{option} is of --{of}: add that, or leave it out")
    tostderr("WARNING")
    began = monotonic()
    with Progress(f"reading {args.source}") as progress, fitting(args.source):
        graph = heaps.read(args.source, progress.part, limits(args))
        read_s = monotonic() - began
        objects = wanted(graph, args.path) if args.path is not None else []
        progress.say("describing it")
        figures = describe(graph, progress.part)
    print(table(rows(figures)))
    print()
    print(table(degrees(figures.out_degree, figures.in_degree), ("slots", "objects with", "", "objects named by", "")))
    summary = {**figures.as_dict(), "read_s": round(read_s, 3)}
    status = 0
    if args.types:
        summary["types"] = types(graph, args.most or MOST)
    if args.path is not None:
        summary["path"] = alive(graph, args.path, objects)
    if args.mark:
        marked = mark(graph, HELPERS if args.helpers is None else args.helpers)
        summary.update(marked)
        status = verdict(marked)
    if args.json:
        args.json.writejson(summary)
    return status


def types(graph: Graph, most: int) -> list[dict[str, Any]]:
    """Print the first `most` types; returns all."""
    counts = bytype(graph)
    print()
    if not counts:
        print(f"types: the format {graph.source.format} tells none")
        return []
    total = max(sum(count.bytes for count in counts), 1)
    rows = [
        (count.type, str(count.objects), str(count.reachable), str(count.bytes), f"{100 * count.bytes / total:.1f} %")
        for count in counts[:most]
    ]
    print(table(rows, ("type", "objects", "reachable", "bytes", "")))
    if len(counts) > most:
        print(f"(the first {most} of {len(counts)} types; --most N for more)")
    return [asdict(count) for count in counts]


def span(graph: Graph) -> str:
    """Where the objects lie."""
    return f"; objects lie from {min(graph.address):#x} to {max(graph.address):#x}" if graph.address else ""


def wanted(graph: Graph, what: str) -> list[int]:
    """The objects that --path names; raises UsageError if there are none."""
    objects = named(graph, what)
    if not objects:
        near = meant(what, graph.types)
        raise UsageError(f"--path {what}: no object has that address, or is of a type of that name{near}{span(graph)}")
    return objects


def alive(graph: Graph, what: str, objects: list[int]) -> dict[str, Any] | None:
    """Print a shortest path to one of the objects, which are called `what`; returns it, or None if they are garbage."""
    found = path(graph, objects)
    print()
    if found is None:
        print(f"{what}: no path from a root: {'it is' if len(objects) == 1 else 'they are'} garbage")
        return None
    print(f"alive by {found.root}")
    print(table([row(graph, link) for link in found.links]))
    links = [{"address": graph.address[link.object], **asdict(link)} for link in found.links]
    return {"root": found.root, "links": links}


def row(graph: Graph, link: Link) -> tuple[str, str, str, str]:
    """A line of a path: the slot of the line before, the address it holds, the object's size and its type."""
    i = link.object
    into = f"+{link.interior}" if link.interior else ""
    kind = graph.types[graph.type[i]] if graph.types else ""
    return f"slot {link.offset}", f"{graph.address[i]:#x}{into}", counted(graph.size[i], "byte"), kind


def mark(graph: Graph, helpers: int) -> dict[str, Any]:
    """Mark `graph` in one stopped cycle and ask every oracle that can run."""
    plan = Plan(config=Config(mutators=0, helpers=helpers), programs=(), cycles=2, concurrent=False)
    with Progress("placing it in the model's heap") as progress, fitting(graph.source.name):
        run = Keep(plan, graph, progress.part)
        progress.say("marking it, and auditing the marks")
        with switching():
            kept = run.result(graph, progress.tick)
    answers = judge(graph, kept.marks)
    lost = sorted({i for answer in answers.values() for i in answer.lost})
    wrong = {i for answer in answers.values() for i in answer.wrong}
    return {
        "marked": sum(kept.marks),
        "lost": len(lost),
        "lost_at": [graph.address[i] for i in lost[:SAMPLE]],
        "wrongly_marked": len(wrong),
        "oracles": {
            name: {"reachable": answer.reachable, "lost": len(answer.lost), "wrongly_marked": len(answer.wrong)}
            for name, answer in answers.items()
        },
        **marks(kept.cycles),
        "violation": kept.violation,
        "load_s": round(kept.load_s, 3),
        "mark_s": round(kept.mark_s, 3),
    }


def verdict(marked: dict[str, Any]) -> int:
    """Print what became of the mark; returns the exit status."""
    lines = [
        ("marked", f"{counted(marked['marked'], 'object')} in {marked['mark_s']} s, placed in {marked['load_s']} s")
    ]
    scanned = marked["marks"][0]["scanned"]
    lines.append(("markers", f"{said(scanned)}{f' ({IDLE})' if idle(scanned) else ''}"))
    lines += [
        (f"by {name}", f"{says['reachable']} reachable, lost {says['lost']}, wrongly marked {says['wrongly_marked']}")
        for name, says in marked["oracles"].items()
    ]
    missing = scipy_missing()
    if missing:
        lines.append(("by scipy", missing))
    if marked["lost_at"]:
        lines.append(("lost at", ", ".join(map(hex, marked["lost_at"]))))
    print()
    print(table(lines))
    if marked["violation"]:
        print(marked["violation"])
    failed = bool(marked["lost"] or marked["wrongly_marked"] or marked["violation"])
    print(f"{'failed' if failed else 'ok'}: lost {marked['lost']}, wrongly marked {marked['wrongly_marked']}")
    return int(failed)


def rows(figures: Description) -> list[tuple[str, str]]:
    """The table, a row a line."""
    kinds = ", ".join(f"{name} {count}" for name, count in figures.roots_by_kind.items() if count)
    dropped = ", ".join(f"{count} {why}" for why, count in figures.dropped.items() if count)
    share = f"{100 * figures.reachable_share:.1f} %"
    lines = [
        ("source", figures.source),
        ("format", f"{figures.format}, {figures.version}"),
        ("objects", f"{figures.objects}, {counted(figures.bytes, 'byte')}"),
        ("edges", f"{figures.edges}, {figures.interior} of them interior"),
        (
            "reachable",
            f"{counted(figures.reachable, 'object')} ({share}), {counted(figures.reachable_bytes, 'byte')}",
        ),
        ("roots", f"{figures.roots}: {kinds or 'none'}"),
        (
            "stacks",
            f"{figures.goroutines} with {counted(figures.frames, 'frame')}; {counted(figures.finalizers, 'finalizer')}",
        ),
        ("depth", f"{counted(figures.depth, 'link')}; the widest level has {counted(figures.levels_widest, 'object')}"),
        ("longest chain", counted(figures.longest_chain, "object")),
        ("out-degree", f"mean {figures.out_degree.mean:.2f}, most {figures.out_degree.most}"),
        ("in-degree", f"mean {figures.in_degree.mean:.2f}, most {figures.in_degree.most}"),
    ]
    if dropped:
        lines.append(("left out", dropped))
    lines += [("note", note) for note in figures.notes]
    return lines


def degrees(out: Degrees, into: Degrees) -> list[tuple[str, str, str, str, str]]:
    """The distribution, a class of degrees a line: objects with so many slots, and named by so many."""
    names = max(out.classes, into.classes, key=len)
    counts = zip_longest(names, out.classes.values(), into.classes.values(), fillvalue=0)
    total = max(sum(out.classes.values()), 1)
    return [
        (str(name), str(a), f"{100 * a / total:.1f} %", str(b), f"{100 * b / total:.1f} %") for name, a, b in counts
    ]
