"""Measures the project's speed: one table, every line a ratio to a floor or to what a user would take instead.

    python -m scripts.bench [PART...] [--rounds 5] [--json FILE]
    python -m scripts.bench OLD [--pairs 5] [--only WORD] [--json FILE]

Without OLD, this checkout on this interpreter: each line's ratio is the median of its rounds, with the lowest and the
highest; both sides of it are measured in the same round, one after the other.  `processor` time is that of the threads or
processes measured, `wall` is the clock's, for what several threads get done together: there a busy machine shows.

OLD is another checkout of this project, say `git worktree add ../old c639122`: then both are run by turns, workload by
workload, and the ratios are of the rates of a pair, new over old (see pairs.py).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

from scripts.bench import pairs
from scripts.bench.heap import LARGEST
from scripts.bench.rows import GIL, HEAD, INTERPRETER, SWITCH_SECONDS, BenchError


PARTS = ("atomics", "lists", "marking", "recorder", "stores", "log", "inspect", "heap", "default", "start")
"""Modules beside this one, each with `rows(rounds)`."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("what", nargs="*", metavar="PART|OLD", help=f"of {', '.join(PARTS)} (all); or the other checkout's folder")
    add("--rounds", type=int, default=5, help="(default 5)")
    add("--objects", type=int, default=LARGEST, metavar="N", help=f"heaps of part heap up to N (default {LARGEST})")
    add("--pairs", type=int, default=5, help="with OLD (default 5)")
    add("--only", default="", metavar="WORD", help="with OLD: workloads whose name has WORD in it")
    add("--json", type=Path, metavar="FILE", help="the figures")
    args = parser.parse_args()
    if args.rounds < 1 or args.pairs < 1:
        parser.error("at least one round")
    unknown = [name for name in args.what if name not in PARTS]
    if unknown and (len(args.what) > 1 or not Path(unknown[0]).is_dir()):
        parser.error(f"{unknown[0]} is neither a part ({', '.join(PARTS)}) nor the folder of a checkout")
    if unknown and not any(args.only in name for name in pairs.WORKLOADS):
        parser.error(f"--only {args.only}: no such workload; there are {', '.join(map(repr, pairs.WORKLOADS))}")
    try:
        if unknown:
            figures = pairs.compare(Path(unknown[0]), args.pairs, args.only)
        else:
            figures = table(args.what or list(PARTS), args.rounds, args.objects)
    except BenchError as error:
        sys.exit(f"python -m scripts.bench: {error}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))


def table(parts: list[str], rounds: int, objects: int) -> dict[str, object]:
    """Print the lines of these parts; returns them."""
    sys.setswitchinterval(SWITCH_SECONDS)
    load = os.getloadavg()[0]
    print(f"Python {INTERPRETER}, GIL {'on' if GIL else 'off'}, {os.cpu_count()} processors, {load:.1f} ready to run")
    print(HEAD)
    lines = []
    for part in parts:
        measure = import_module(f"scripts.bench.{part}").rows
        for row in measure(rounds, objects) if part == "heap" else measure(rounds):
            print(row.line(), flush=True)
            lines.append({"part": part, **row.json()})
    return {"load": [load, os.getloadavg()[0]], "rounds": rounds, "rows": lines}


if __name__ == "__main__":
    main()
