"""For each planted fault that a stress run shows: the way from the run's last lines to a page, by the printed commands.

    python -m scripts.hunt_table [--seconds 20] [--only NAME,..] [--logs DIR] [--page]

Each fault is planted in a run with a log, with one seed and set of programs after the next until one fails or the time is
over.  Then the commands that are printed are run: `hunt`, and of what it found `replay --html`.  --logs keeps logs, outputs
and rows there and takes those that there are, a FAULT.row if it was made with the same --seconds; --page writes the table
into the guide.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from collector.faults import FAULTS
from collector.report.tables import markdown


PROGRAMS = ("rewire,hider,pushpop,syscalls", "latesend,latesend,finalizers,hider", "bintree,longlist,channel,sizes")
RUN = ("--heap", "synthetic:random,n=300", "--cycles", "8", "--patience", "3", "--quiet", "--mutators", "4")
ALL = ("--all", "--quiet", "--patience", "3", "--seconds", "15")
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "collector/guide/reports.md"
BETWEEN = re.compile(r"(<!-- hunt_table: begin -->\n).*(<!-- hunt_table: end -->)", re.DOTALL)
HEAD = ("fault", "on real threads", "stress s", "found in", "by", "schedules", "steps", "hunt s", "page s")
COMMAND = re.compile(r"python -m (collector\.run .*)")


class Row(NamedTuple):
    """A line of the table, as text."""

    fault: str
    shown: str
    stress: str
    world: str
    strategy: str
    schedules: str
    steps: str
    hunt: str
    page: str


def stressed(fault: str, log: Path, seconds: float) -> tuple[str, float]:
    """What the first stress run that fails prints, and its seconds; empty if none does in that time."""
    end, turn = monotonic() + seconds, 0
    while monotonic() < end:
        programs = PROGRAMS[turn % 4] if turn % 4 < len(PROGRAMS) else ""
        words = (*RUN, "--programs", programs) if programs else ALL
        begun = monotonic()
        done = run("collector.run", "stress", "--plant", fault, *words, "--seed", str(turn + 1), "--log", str(log))
        if done.returncode == 1:
            return done.stdout, monotonic() - begun
        turn += 1
    return "", 0.0


def run(*words: str, folder: str | None = None) -> subprocess.CompletedProcess[str]:
    """A command of ours."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "500"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, env=environment, cwd=folder
    )


def printed(text: str, what: str) -> list[str]:
    """The words of the last command that is printed behind `what`."""
    line = next(line for line in reversed(text.splitlines()) if line.startswith(what))
    found = COMMAND.search(line)
    assert found, line
    return shlex.split(found[1])


def row(fault: str, logs: Path, seconds: float) -> Row | None:
    """The way of one fault; None if no stress run shows it."""
    log, out, took = logs / f"{fault}.log", logs / f"{fault}.out", 0.0
    if not out.exists():
        text, took = stressed(fault, log, seconds)
        if not text:
            return None
        out.write_text(f"{took:.1f}\n{text}")
    first, _, text = out.read_text().partition("\n")
    shown = text.rstrip().rpartition("\n")[2].removeprefix("failed: ")
    result = logs / f"{fault}.json"
    begun = monotonic()
    done = run(*printed(text, "find a schedule"), "--seconds", str(seconds), "--json", str(result))
    hunted = monotonic() - begun
    (logs / f"{fault}.hunt").write_text(done.stdout + done.stderr)
    if done.returncode not in (1, 3):
        return Row(fault, shown[:50], first, "-", done.stderr.rstrip()[-60:], "-", "-", f"{hunted:.1f}", "-")
    found = json.loads(result.read_text())
    schedules = str(sum(one["schedules"] for one in found["tried"]))
    if not found["world"]:
        other = next((one["came"] for one in found["tried"] if one["came"]), "")
        by = f"another kind: {other.partition(chr(10))[0]}"[:60] if other else "nothing failed"
        return Row(fault, shown[:50], first, "not found", by, schedules, "-", f"{hunted:.1f}", "-")
    begun = monotonic()
    paged = run(*printed(done.stdout, "as a page:"), folder=str(logs))
    assert paged.returncode == 1, paged.stdout[-500:] + paged.stderr
    assert (logs / "schedule.html").exists()
    strategy = found["tried"][-1]["strategy"]
    world = found["world"].replace(f":{fault}:", "::")
    return Row(
        fault, shown[:50], first, world, strategy, schedules, str(found["steps"]), f"{hunted:.1f}",
        f"{monotonic() - begun:.1f}",
    )  # fmt: skip


def kept(fault: str, logs: Path, seconds: float) -> Row | None:
    """The row that is there already, or else one made now."""
    path = logs / f"{fault}.row"
    known = json.loads(path.read_text()) if path.exists() else {}
    if known.get("seconds") != seconds:
        known = {"seconds": seconds, "row": row(fault, logs, seconds)}
        path.write_text(json.dumps(known))
    return Row(*known["row"]) if known["row"] else None


def told(rows: list[Row], seconds: float, unseen: list[str], untried: list[str]) -> str:
    """The table, and what it says together."""
    found = [row for row in rows if row.world not in {"not found", "-"}]
    said = [f"{len(found)} of {len(rows)} found, each hunt for at most {seconds:g} s."]
    said += [f"No stress run showed these in {seconds:g} s: {', '.join(unseen)}."] if unseen else []
    said += [f"Not tried: {', '.join(untried)}."] if untried else []
    return f"{markdown(HEAD, rows)}\n\n{'  '.join(said)}\n"


def main() -> None:
    """A row a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="for the stress runs of a fault, and for its hunt")
    parser.add_argument("--only", default="", help="faults, with commas")
    parser.add_argument("--logs", type=Path, help="keep the runs there, and take those that are there")
    parser.add_argument("--page", action="store_true", help=f"write the table into {PAGE.name}")
    args = parser.parse_args()
    real = [name for name, fault in FAULTS.items() if not fault.equivalent]
    names = args.only.split(",") if args.only else real
    rows, unseen = [], []
    with tempfile.TemporaryDirectory() as folder:
        logs = (args.logs or Path(folder)).resolve()
        logs.mkdir(parents=True, exist_ok=True)
        for name in names:
            made = kept(name, logs, args.seconds)
            print(" | ".join(made) if made else f"{name}: no stress run has shown it in {args.seconds:g} s", flush=True)
            if made:
                rows.append(made)
            else:
                unseen.append(name)
    table = told(rows, args.seconds, unseen, [name for name in real if name not in names])
    print(table)
    if args.page:
        PAGE.write_text(BETWEEN.sub(lambda found: f"{found[1]}{table}{found[2]}", PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
