"""Does `inspect LOG check` accuse a correct run?  Judges the logs of many healthy runs of all kinds.

    python -m scripts.healthy_logs [--runs 200] [--seed N] [--keep DIR]

Kinds in turn, each with the next seed: every scenario of `stress` that runs over a heap (one without a heap and a collector
has no log), and mixes of programs, with helpers and without.  Printed by kind: runs, events, how many logs were accused, of
what first.  Exit status 1 if one was; its log is kept, in DIR; also if a run has failed, and so was not a healthy one.  Run
it once with each interpreter.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from shutil import copy
from typing import NamedTuple

from collector.audit.recorded.judge import judge
from collector.commands.status import OK, WEAKER
from collector.report.log.recorded import Recorded
from collector.report.tables import table
from collector.run import main as run
from collector.stress.mechanisms import MECHANISMS
from mutator.programs.registry import PROGRAMS


SHORT = ("--cycles", "2", "--quiet")
HEAP = ("--heap", "synthetic:random,n=200")
EACH = tuple(name for name in PROGRAMS if name != "finalizerchains")
"""Only one kind of program may own the finalizers."""
MIXES = {
    "all programs": ("--programs", ",".join(EACH), "--mutators", str(len(EACH))),
    "one cycle": ("--cycles", "1"),
    "no helpers": ("--helpers", "0", "--programs", "rewire,hider,syscalls", "--mutators", "3"),
    "five helpers": ("--helpers", "5", "--programs", "bintree,sizes,latesend,latesend"),
    "dawdling": ("--dawdle", "0.2", "--programs", "pushpop,channel,channel,finalizers"),
    "tiny buffers": ("--workbuf", "112", "--programs", "longlist,rewire,hider,syscalls"),
}


class Judged(NamedTuple):
    """One run."""

    kind: str
    events: int
    accused: str
    """The first finding; empty if there is none."""
    status: int = OK
    why: str = ""
    """There is nothing to judge: what the run has printed last."""


def kinds() -> dict[str, tuple[str, ...]]:
    """The words of each kind of run."""
    named = {name: ("stress", name, "--seconds", "0.5", "--quiet") for name in MECHANISMS}
    return named | {name: ("stress", *HEAP, *SHORT, *words) for name, words in MIXES.items()}


def judged(kind: str, words: tuple[str, ...], seed: int, log: Path) -> Judged:
    """Run it, and judge its log."""
    log.unlink(missing_ok=True)
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run([*words, "--seed", str(seed), "--log", str(log)])
    if status not in (OK, WEAKER):  # weaker: it is as healthy, but has not driven what it is for
        said = (err.getvalue() or out.getvalue()).strip().splitlines() or [""]
        return Judged(kind, 0, "", status, said[-1][:80])
    read = Recorded(str(log))
    verdict = judge(read.events, closed=read.closed, mutators=read.mutators)
    first = verdict.findings[0] if verdict.findings else None
    return Judged(kind, verdict.events, f"{first.rule}: {first.text}" if first else "")


def main() -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--keep", type=Path, default=Path(), help="where the logs of those accused go (here)")
    args = parser.parse_args()
    ways = kinds()
    unfit: dict[str, Judged] = {}
    found: list[Judged] = []
    at = 0
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "run.log"
        while len(found) < args.runs and len(unfit) < len(ways):
            kind = list(ways)[at % len(ways)]
            seed = args.seed + at
            at += 1
            if kind in unfit:
                continue
            one = judged(kind, ways[kind], seed, log)
            if one.status:
                unfit[kind] = one
                continue
            found.append(one)
            if one.accused:
                copy(log, args.keep / f"accused-{kind.replace(' ', '-')}-{seed}.log")
    rows = []
    for kind in ways:
        mine = [one for one in found if one.kind == kind]
        accused = [one.accused for one in mine if one.accused]
        if mine:
            rows.append((kind, str(len(mine)), str(sum(one.events for one in mine)), str(len(accused)), *accused[:1]))
    print(table(rows, ("kind", "runs", "events", "accused", "of what first")))
    for kind, one in unfit.items():
        print(f"{kind}: not judged: status {one.status}: {one.why}")
    bad = sum(bool(one.accused) for one in found)
    free = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else ", no GIL"
    print(f"Python {sys.version.split()[0]}{free}, {os.cpu_count()} processors: {bad} of {len(found)} runs accused")
    return 1 if bad or unfit or len(found) < args.runs else 0


if __name__ == "__main__":
    sys.exit(main())
