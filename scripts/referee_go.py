"""Compares our collector with Go's, on the sample pair of heap dumps and on fresh pairs that an installed Go makes.

    python -m pip install --editable '.[go]'
    python -m scripts.referee_go [--pairs 5] [--objects 2000] [--seed N] [--keep DIRECTORY]

Each fresh pair is a process of tests/go/heapgen.go with other shapes; the line of a pair counts the worst of four runs of
our collector (as `python -m collector.run referee` makes them).  `--keep` leaves the dumps in a directory.  Without Go only
the sample pair is refereed.  Exit status 1 if an object is missing or an audit found something.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

from collector import heaps
from collector.commands.referee import collect, modes
from collector.heaps.referee import compare
from collector.report.tables import table
from tests.go.toolchain import SHAPES, build, missing, pair


HEAPS = Path(__file__).parents[1] / "tests" / "heaps"
SAMPLE = tuple(HEAPS / f"go119-pair-small.heapdump.{which}.gz" for which in ("before", "after"))
MIXES = (",".join(SHAPES), "graph,map", "list,parked,locals", "tree,slices", "finalizers,deferred", *SHAPES)
HEAD = (
    "pair",
    "Go",
    "objects",
    "kept",
    "by Go",
    "missing",
    "extra",
    "new",
    "reused",
    "not judged",
    "unseen",
    "phantoms",
    "barriers",
)


def row(name: str, paths: tuple[Path, ...], seed: int) -> tuple[tuple[str, ...], bool]:
    """The line of one pair, and whether it is in order."""
    before, after = (heaps.read(str(path)) for path in paths)
    kept = [collect(before, mode, seed) for mode in modes(2)]
    verdicts = [compare(before, after, k.kept) for k in kept]
    worst = max(verdicts, key=lambda v: (v.missing, v.extra))
    counts = (
        before.objects,
        worst.kept,
        worst.kept_by_go,
        *(
            max(getattr(v, count) for v in verdicts)
            for count in ("missing", "extra", "new", "reused", "not_judged", "unseen", "phantoms")
        ),
        max(k.barriers for k in kept),
    )
    good = all(v.holds for v in verdicts) and not any(k.violation for k in kept)
    return (name, before.source.version.split()[0], *map(str, counts)), good


def main() -> int:
    """Make the pairs, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="fresh pairs (default 5)")
    parser.add_argument("--objects", type=int, default=2000, help="of a shape, or so (default 2000)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of all (default: drawn)")
    parser.add_argument("--keep", type=Path, help="a directory for the dumps")
    args = parser.parse_args()
    sys.setswitchinterval(1e-4)
    print(f"seed {args.seed}")
    lines = [row("sample", SAMPLE, args.seed)]
    if missing():
        print(f"no fresh pairs: {missing()}")
    else:
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            program = build(scratch)
            directory = args.keep or scratch
            directory.mkdir(parents=True, exist_ok=True)
            for i in range(args.pairs):
                shapes = MIXES[i % len(MIXES)]
                paths = pair(program, directory, shapes, args.seed + i, args.objects)
                lines.append(row("all shapes" if i % len(MIXES) == 0 else shapes, paths, args.seed + i))
    print(table([line for line, _ in lines], HEAD))
    return int(not all(good for _, good in lines))


if __name__ == "__main__":
    sys.exit(main())
