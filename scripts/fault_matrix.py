"""The fault matrix: for each planted fault, the check that detects it and the seconds until it does.

    python -m scripts.fault_matrix [--seconds 60] [--only NAME,..] [--json FILE]

Each fault is run in a process of its own, `stress --all --plant NAME`, which ends at the first failure.  If that detects
nothing within the seconds, the fault's program in `collector.faults.programs` is explored on the stepped machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from collector.explore import explore
from collector.faults import FAULTS, Fault
from collector.faults.programs import PLAIN_POINTS, PROGRAMS


PATIENCE = 4.0
"""Seconds without progress after which a run counts as hung."""
ROOM = 60.0
"""Seconds that a process may take beyond what it was given."""


@dataclass
class Row:
    """The result for one fault."""

    fault: str
    check: str
    """The last line of the run that failed, or the explorer's failure; empty if nobody saw it."""
    seconds: float
    by: str
    """stress, race or equivalent."""


def stressed(fault: Fault, seconds: float, seed: int) -> tuple[str, float]:
    """The complaint of a stress run with the fault, empty if there was none; seconds it took."""
    began = monotonic()
    options = ("--all", "--quiet", "--plant", fault.name, "--patience", PATIENCE, "--seconds", seconds, "--seed", seed)
    command = [sys.executable, "-m", "collector.run", "stress", *map(str, options)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + ROOM, check=False)
    except subprocess.TimeoutExpired:
        return "hang: the process did not end", monotonic() - began
    lines = done.stdout.splitlines() or [f"exit status {done.returncode}"]
    return (lines[-1].removeprefix("failed: ") if done.returncode else ""), monotonic() - began


def explored(fault: Fault) -> tuple[str, float]:
    """What the stepped machine says of the fault's own program, empty if it has none or finds nothing."""
    if fault.name not in PROGRAMS:
        return "", 0.0
    began = monotonic()
    points = fault.name in PLAIN_POINTS
    result = explore(PROGRAMS[fault.name](fault), schedules=20_000, seconds=60, races="report", plain_points=points)
    return (result.failure.message.partition("\n")[0] if result.failure else ""), monotonic() - began


def look(fault: Fault, seconds: float, seed: int) -> Row:
    """One line of the table."""
    if not fault.unseen:
        said, took = stressed(fault, seconds if not fault.equivalent else min(seconds, 20.0), seed)
        if said:
            return Row(fault.name, said, took, "stress")
    said, took = explored(fault)
    if said:
        return Row(fault.name, said, took, "race")
    return Row(fault.name, "", took, "equivalent" if fault.equivalent else "unseen")


def main() -> int:
    """Print the table; the exit status is 1 if a fault that is not equivalent was seen by nobody."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of stress, for each fault (60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names of faults, separated by commas")
    parser.add_argument("--json", type=Path, help="write the table")
    args = parser.parse_args()
    names = [name for name in args.only.split(",") if name] or list(FAULTS)
    rows = []
    for name in names:
        rows.append(look(FAULTS[name], args.seconds, args.seed))
        row = rows[-1]
        print(f"{row.fault:30} {row.by:10} {row.seconds:6.1f} s  {row.check}", flush=True)
    real = [row for row in rows if not FAULTS[row.fault].equivalent]
    seen = {by: sum(row.by == by for row in real) for by in ("stress", "race", "unseen")}
    print(f"{len(rows)} faults, {len(real)} of them not equivalent: {seen}")
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    return 1 if seen["unseen"] else 0


if __name__ == "__main__":
    sys.exit(main())
