"""Kills processes of a campaign at random, and compares what it finds with a campaign that nobody disturbs.

    python -m scripts.kill_workers [--kills 50] [--seed N] [--jobs 2] [--seeds 60]

Workers, and the processes in which they explore, are killed (SIGKILL) one at a time, each some time after the one before,
when four tasks have been finished since: whoever kills one task again and again has it lost.  Exit status 0: every task was
finished once, and all rows of both results are the same: verdicts, counts, places and tokens.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil


SPEC = """
[[explore]]
programs = ["aba:failing", "aba:fixed", "harvest:fixed", "markterm:failing"]
strategies = ["urw"]
seeds = "1-{seeds}"
schedules = 100
"""
ROWS = (
    "SELECT number, name, verdict, text, schedules, steps, fault, place, token FROM tasks WHERE wanted ORDER BY number"
)
PROCESSES = ("multiprocessing.spawn", "-m collector.campaign.child")
"""What the command line of one has in it that is killed: a worker's, or of the process beside it."""
LEASH = "collector.campaign.leash"
"""What that of one has in it that is spared: it does nothing but wait, and who kills it has disturbed nobody."""
EVERY = 4
"""Tasks that are finished between two kills, at least."""
PAUSE = 1.0
"""Seconds between two kills, at most, beside those until something is finished."""


def begun(folder: Path, results: str, jobs: int) -> subprocess.Popen[bytes]:
    """The campaign; what it prints goes into a file beside the results, as a pipe that nobody reads would stop it."""
    words = ["campaign", str(folder / "spec.toml"), "--jobs", str(jobs), "--results", str(folder / results)]
    with (folder / f"{results}.txt").open("wb") as said:
        return subprocess.Popen([sys.executable, "-m", "collector.run", *words], stdout=said, stderr=subprocess.STDOUT)


def rows(path: Path, query: str = ROWS) -> list[tuple[object, ...]]:
    """Of the results, as far as they are."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        try:
            return db.execute(query).fetchall()
        except sqlite3.OperationalError:  # not made yet, or locked
            return []


def victims(campaign: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that may be killed now."""
    found = []
    for process in psutil.Process(campaign.pid).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if LEASH not in command and any(word in command for word in PROCESSES):
            found.append(process)
    return found


def disturbed(folder: Path, kills: int, draw: random.Random, jobs: int) -> tuple[int, dict[str, int]]:
    """Run a campaign and kill: how often, and what."""
    campaign = begun(folder, "disturbed.db", jobs)
    killed: dict[str, int] = dict.fromkeys(PROCESSES, 0)
    before, number = 0, 0
    while campaign.poll() is None and number < kills:
        time.sleep(0.05)  # between two looks: to look all the time would take a processor from the campaign
        done = len(rows(folder / "disturbed.db", "SELECT 1 FROM tasks WHERE verdict IS NOT NULL"))
        if done < before + EVERY:
            continue
        time.sleep(draw.random() * PAUSE)  # the moment is drawn: whatever a process does then is what is cut off
        try:
            found = victims(campaign)
            if found:
                victim = draw.choice(found)
                what = next(word for word in PROCESSES if word in " ".join(victim.cmdline()))
                victim.kill()
                killed[what] += 1
                before, number = done, number + 1
        except (psutil.Error, StopIteration):  # it has just ended by itself
            continue
    campaign.wait()
    return number, killed


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="processes that are killed (50)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="of what is killed, and when")
    parser.add_argument("--jobs", type=int, default=2, help="workers (2)")
    parser.add_argument("--seeds", type=int, default=60, help="four tasks each (60)")
    args = parser.parse_args()
    print(f"--seed {args.seed}")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spec.toml").write_text(SPEC.format(seeds=args.seeds), encoding="ascii")
        begun_at = time.perf_counter()
        number, killed = disturbed(folder, args.kills, random.Random(args.seed), args.jobs)
        print(f"{number} killed in {time.perf_counter() - begun_at:.0f} s: {killed}")
        begun(folder, "undisturbed.db", args.jobs).wait()
        found, expected = rows(folder / "disturbed.db"), rows(folder / "undisturbed.db")
        said = (folder / "disturbed.db.txt").read_text(encoding="utf-8", errors="replace")
    different = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
    print(f"{len(found)} tasks, {sum(row[2] is not None for row in found)} finished, of {4 * args.seeds}")
    print(f"{len(different)} rows differ from those of an undisturbed campaign")
    for pair in different[:3]:
        print(*pair, sep="\n")
    if number < args.kills:
        print(f"the campaign was over before {args.kills} were killed: more --seeds")
    good = not different and len(found) == len(expected) == 4 * args.seeds and number == args.kills
    if not good:
        print(said[-2_000:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
