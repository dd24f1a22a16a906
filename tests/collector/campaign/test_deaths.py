"""Campaigns that are killed anywhere, or whose processes die: nothing is lost, and nothing done twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from collector.commands.status import OK, VIOLATION
from tests.collector.campaign.campaigns import begun, finished, rows, with_dask


if TYPE_CHECKING:
    from pathlib import Path


@with_dask
def test_killed_anywhere_it_goes_on(
    specification: str, undisturbed: list[tuple[object, ...]], tmp_path: Path, seed: int
) -> None:
    """The table at the end is that of an undisturbed campaign; what was finished was not done again."""
    draw = random.Random(seed)
    results = tmp_path / "results.db"
    known: dict[str, object] = {}
    for _ in range(2):
        process = begun(specification, results)
        enough = len(known) + draw.randint(1, 6)
        next(n for n, _ in finished(results) if n >= enough or process.poll() is not None)
        process.kill()
        process.communicate()
        with closing(sqlite3.connect(results)) as db:
            now = dict(db.execute("SELECT key, ended FROM tasks WHERE verdict IS NOT NULL"))
        assert {key: now[key] for key in known} == known
        known = now
    process = begun(specification, results)
    said, _ = process.communicate(timeout=200)

    assert process.returncode == OK, said
    assert f"{len(known)} of {len(undisturbed)} tasks were done before" in said or len(known) == len(undisturbed)
    assert rows(results) == undisturbed


DEADLY = """
import ctypes, os, signal

def kills(machine):
    os.kill(os.getpid(), signal.SIGKILL)

def crashes(machine):
    ctypes.string_at(0)

def hangs(machine):
    def body(port):
        while True:
            pass
    machine.spawn(body)
"""


@with_dask
def test_processes_that_die_lose_nothing_but_their_own(
    specification: str, undisturbed: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """One is killed from outside, two tasks kill theirs, one never ends: all others are as ever."""
    file = tmp_path / "deadly.py"
    file.write_text(DEADLY, encoding="ascii")
    names = ", ".join(f'"{file}:{name}"' for name in ("kills", "crashes", "hangs"))
    with open(specification, "a", encoding="ascii") as more:  # noqa: PTH123  a name
        more.write(f'\n[[explore]]\nprograms = [{names}]\nstrategies = ["urw"]\n')
    results = tmp_path / "results.db"
    process = begun(specification, results, "--json", str(tmp_path / "summary.json"))
    worker = next(who for n, who in finished(results) if n >= 2 or process.poll() is not None)
    with suppress(ProcessLookupError):
        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
    said, _ = process.communicate(timeout=200)

    assert process.returncode == VIOLATION, said
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert rows(results)[: len(undisturbed)] == undisturbed
    verdicts = {str(row[1]).rpartition(":")[2]: row[2] for row in rows(results)[len(undisturbed) :]}
    assert (verdicts["kills urw seed 1"], verdicts["crashes urw seed 1"]) == ("lost", "lost")
    assert verdicts["hangs urw seed 1"] in {"failed", "refused"}
    assert len(summary["wrong"]) == 3
