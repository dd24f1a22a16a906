"""Reads, loads and marks every sample heap (or those named), and compares the marks with every oracle installed.

    python -m scripts.heap_table [SOURCE...]

Seconds: `read` from the file to columns, `load` into the model's heap, `mark` in one stopped collection, with two helpers.
Exit status 1 if an object is lost or wrongly marked, or a helper did not come.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from collector import heaps
from collector.heaps.oracle import judge, oracles
from collector.report.tables import table
from collector.runtime import Config
from collector.stress.markers import said
from collector.stress.run import Plan
from collector.stress.survivors import Keep


HEAPS = Path(__file__).parents[1] / "tests" / "heaps"
HEAD = ("heap", "objects", "edges", "reachable", "marked", "lost", "wrong", "read s", "load s", "mark s", "markers")


def row(source: str) -> tuple[str, ...]:
    """The line of one heap."""
    began = time.monotonic()
    graph = heaps.read(source)
    read_s = time.monotonic() - began
    plan = Plan(config=Config(mutators=0, helpers=2), programs=(), cycles=2, concurrent=False)
    kept = Keep(plan, graph).result(graph)
    if kept.violation:
        sys.exit(f"{source}: {kept.violation}")
    answers = judge(graph, kept.marks).values()
    counts = (
        graph.objects,
        graph.edges,
        next(iter(answers)).reachable,
        sum(kept.marks),
        max(len(answer.lost) for answer in answers),
        max(len(answer.wrong) for answer in answers),
    )
    seconds = (read_s, kept.load_s, kept.mark_s)
    return (Path(source).name, *map(str, counts), *(f"{s:.2f}" for s in seconds), said(kept.cycles[0].scanned))


def main() -> int:
    """Print the table."""
    sources = sys.argv[1:] or [*map(str, sorted(HEAPS.glob("*.gz"))), "cpython", "synthetic:power,n=50000,threads=8"]
    sys.setswitchinterval(1e-4)
    rows = [row(source) for source in sources]
    print(table(rows, HEAD))
    print(f"oracles: {', '.join(oracles())}")
    return int(any(line[5] != "0" or line[6] != "0" for line in rows))


if __name__ == "__main__":
    sys.exit(main())
