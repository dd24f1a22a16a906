"""A small campaign, by this process or by the command, and what comes of it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from collector.campaign import campaign
from collector.commands.search import asked


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from collector.campaign.store import Store
    from collector.campaign.task import Outcome, Task

with_dask = pytest.mark.skipif(not find_spec("distributed"), reason="needs the extra `campaign`")
SPEC = """
[[explore]]
programs = ["aba:failing", "aba:fixed", "harvest:fixed", "markterm:failing"]
strategies = ["urw", "dpor"]
seeds = "1-4"
schedules = 300
"""
ROWS = (
    "SELECT number, name, verdict, text, schedules, steps, fault, place, token FROM tasks WHERE wanted ORDER BY number"
)


class Here:
    """A cluster of this process."""

    def __init__(self) -> None:
        self.under_way: dict[str, tuple[Callable[..., Outcome], tuple[Any, ...]]] = {}
        self.done: list[str] = []
        """Names of what was done."""

    def tend(self) -> int:
        """It is there."""
        return 1

    def submit(self, key: str, function: Callable[..., Outcome], *arguments: object) -> None:
        """For later."""
        self.under_way[key] = function, arguments

    def drop(self) -> None:
        """Forget."""
        self.under_way.clear()

    def next(self, _seconds: float) -> tuple[str, Outcome]:
        """Do one."""
        key, (function, arguments) = self.under_way.popitem()
        self.done.append(f"{function.__name__} {arguments[0].name}")
        return key, function(*arguments)


def run(
    todo: list[tuple[str, Task]],
    store: Store,
    *,
    first: bool = False,
    here: Here | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """By this process."""
    progress = campaign.Progress(len(todo), 0)
    return campaign.run(
        todo, store, here or Here(), asked, progress, lambda *_: None, stop, first=first  # type: ignore[arg-type]
    )  # fmt: skip


def rows(path: Path) -> list[tuple[object, ...]]:
    """Of the results."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(ROWS).fetchall()


def inputs() -> dict[str, object]:
    """Of a task that fails."""
    return {"program": "aba", "variant": "failing", "strategy": "urw", "schedules": 300}


def begun(specification: str, results: Path, *options: str) -> subprocess.Popen[str]:
    """The command as a process, of a group of its own, as a shell begins it."""
    words = ["-m", "collector.run", "campaign", specification, "--jobs", "2", "--results", str(results), *options]
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(results: Path) -> Iterator[tuple[int, str]]:
    """How many are finished, and by whom the last one was, again and again."""
    while True:
        time.sleep(0.05)  # between two looks: no event tells what another process has stored
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{results.as_uri()}?mode=ro", uri=True)) as db:
            number, worker = db.execute("SELECT count(*), max(worker) FROM tasks WHERE verdict IS NOT NULL").fetchone()
            yield number, worker or ""
