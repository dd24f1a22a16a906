"""Compares the verdicts of one campaign with those of one process that does everything in turn.

    python -m scripts.campaign_verdicts [--jobs 2] [--schedules 100] [--programs '*'] [--tests 'tests/race/test_*.py']
                                       [--results FILE]

All variants of all scenarios, or of some, by a sampler and by DPOR, so many schedules of each; and files of tests, which
pytest runs at once in turn: in several parts where the whole takes too long.  Each row is told by its name.  Exit status 0:
the same verdicts, counts, places and tokens of all scenarios, and the same outcome of each test.  Times are printed of both,
which tell nothing on a machine that does other things.
"""

from __future__ import annotations

import argparse
import glob
import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import Row, connect
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from collector.campaign import spec
from collector.campaign.perform import explored, smaller, tested
from collector.campaign.task import Task
from collector.commands.search import asked


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.campaign.task import Outcome

SPEC = """
seconds = 3600
[[explore]]
programs = {programs}
strategies = ["urw", "dpor"]
schedules = {schedules}
[[pytest]]
tests = ["{tests}"]
"""
SAME = ("verdict", "text", "schedules", "steps", "fault", "place", "token")


def in_turn(tasks: Sequence[Task], tests: str) -> tuple[dict[str, Outcome], dict[str, str]]:
    """By this process: what has come of programs, by name, and of tests."""
    programs = {task.name: whole(task) for task in tasks if task.kind == "explore"}
    words = sorted(glob.glob(tests))  # noqa: PTH207  a pattern, from here
    return programs, tested(Task("pytest", "all", {"words": words})).more["tests"]


def whole(task: Task) -> Outcome:
    """What has come of a program, with a shrunk schedule if it fails."""
    outcome = explored(task, asked)
    if not outcome.token:
        return outcome
    small = smaller(task, asked, outcome.token)
    return replace(outcome, text=small.text, place=small.place, token=small.token)


def by_campaign(specification: Path, results: Path, jobs: int) -> int:
    """Its exit status."""
    words = ["campaign", str(specification), "--results", str(results), "--jobs", str(jobs)]
    return subprocess.run(
        [sys.executable, "-m", "collector.run", *words], check=False, stdout=subprocess.DEVNULL
    ).returncode


def differences(results: Path, programs: dict[str, Outcome], tests: dict[str, str]) -> list[str]:
    """Whatever is not the same, a line each."""
    with closing(connect(results)) as db:
        db.row_factory = Row
        rows = db.execute("SELECT * FROM tasks WHERE kind = 'explore' AND wanted").fetchall()
        found = {row["name"]: [row[field] for field in SAME] for row in rows}
        more = [
            json.loads(row["more"]) for row in db.execute("SELECT more FROM tasks WHERE kind = 'pytest' AND wanted")
        ]
    expected = {name: [getattr(outcome, field) for field in SAME] for name, outcome in programs.items()}
    outcomes: dict[str, str] = {}
    for one in more:
        outcomes |= one["tests"]
    told: list[str] = []
    for here, there in ((expected, found), (tests, outcomes)):
        told += [
            f"{name}: {here.get(name)} in turn, {there.get(name)} by the campaign"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]
    return told


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes of the campaign (2)")
    parser.add_argument("--schedules", type=int, default=100, help="of each program and strategy (100)")
    parser.add_argument("--programs", nargs="+", default=["*"], help="scenarios, SCENARIO or SCENARIO:VARIANT (*)")
    parser.add_argument("--tests", default="tests/race/test_*.py", help="files (tests/race/test_*.py)")
    parser.add_argument("--results", default="", help="keep the campaign's, and go on from there")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        specification = Path(folder) / "spec.toml"
        asked_for = SPEC.format(schedules=args.schedules, tests=args.tests, programs=json.dumps(args.programs))
        specification.write_text(asked_for, encoding="ascii")
        results = Path(args.results or Path(folder) / "results.db")
        begun = perf_counter()
        status = by_campaign(specification, results, args.jobs)
        print(f"a campaign: {perf_counter() - begun:.0f} s, exit status {status}", flush=True)
        begun = perf_counter()
        programs, tests = in_turn(spec.tasks(str(specification)), args.tests)
        print(f"one process in turn: {perf_counter() - begun:.0f} s", flush=True)
        told = differences(results, programs, tests)
    for name, outcome in programs.items():
        print(f"{name}: {outcome.verdict}, {outcome.schedules} schedules")
    for name, how in tests.items():
        print(f"{name}: {how}")
    print(f"{len(programs)} verdicts of programs, {len(tests)} outcomes of tests, {len(told)} differences")
    for line in told:
        print(line)
    return 0 if programs and tests and not told else 1


if __name__ == "__main__":
    sys.exit(main())
