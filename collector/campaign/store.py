"""The results of campaigns: one SQLite file, which `inspect FILE` and `inspect FILE --sql SELECT` read.

    tasks(key, number, kind, name, inputs, code, fails, wanted, verdict, text, schedules, steps, states, traces, seconds,
          fault, place, token, worker, ended, more)
                    one row a task.  `key` is a digest of `kind`, `inputs` (JSON) and `code`, the version of the code;
                    `number` its place in the specification; `fails` is 1 if it is to show a fault; `wanted` is 0 if the
                    last campaign did not ask for it.  `verdict` is NULL until it is finished, then proved, bounded, sampled,
                    undecided, passed, failed, refused, lost (its process died or did not end) or bug.  `schedules`,
                    `steps`, `states`, `traces` are counts, `seconds` its own; `fault`, `place` and `token` are of the
                    shrunk schedule that failed, and of the one that was found as long as `more` says `unshrunk`; `ended` is
                    in seconds since 1970; `more` is JSON
    failures(fault, place, token, text, name, times, seconds)
                    the different ones among those that are wanted, by kind, place and schedule: the first task that found
                    it, how many did, and the seconds that the first took

Guards.  A task is finished by one UPDATE of a row that has no verdict yet, and committed before the next is begun, so a
process that is killed leaves it finished or not begun.  The same holds when its schedule has been shrunk: one UPDATE, of all
rows in which that schedule was found.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from collector.campaign.ownfile import OwnFileError, opened
from collector.campaign.task import BAD, Task


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collector.campaign.task import Outcome

APPLICATION = 1463961442
FORMAT = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks(
    key TEXT PRIMARY KEY, number INTEGER, kind TEXT, name TEXT, inputs TEXT, code TEXT, fails INTEGER, wanted INTEGER,
    verdict TEXT, text TEXT, schedules INTEGER, steps INTEGER, states INTEGER, traces INTEGER, seconds REAL,
    fault TEXT, place TEXT, token TEXT, worker TEXT, ended REAL, more TEXT);
CREATE VIEW IF NOT EXISTS failures AS
    SELECT fault, place, token, text, name, count(*) AS times, seconds, min(number) AS first
    FROM tasks WHERE wanted AND verdict IN ('failed', 'refused', 'lost', 'bug')
    GROUP BY fault, place, CASE WHEN token = '' THEN text ELSE token END
    ORDER BY first;
"""
COLUMNS = ("verdict", "text", "schedules", "steps", "states", "traces", "seconds", "fault", "place", "token", "worker")


class StoreError(Exception):
    """The file cannot be used: the text says why."""


class Failure(NamedTuple):
    """A row of `failures`."""

    fault: str
    place: str
    token: str
    text: str
    name: str
    times: int
    seconds: float


class Store:
    """The file, made if there is none; closed at the end of a `with` statement."""

    def __init__(self, path: str) -> None:
        """Raises StoreError."""
        self.path = path
        try:
            self.db = opened(path, "results of campaigns", APPLICATION, FORMAT, SCHEMA)
        except OwnFileError as error:
            raise StoreError(str(error)) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def plan(self, tasks: Sequence[Task], code: str) -> list[tuple[str, Task]]:
        """Note what is wanted; those that are not finished, with their keys.  One that is given twice counts once."""
        keyed = {task.key(code): task for task in tasks}
        with self._writing():
            self.db.execute("UPDATE tasks SET wanted = 0")
            self.db.executemany(
                "INSERT INTO tasks(key, number, kind, name, inputs, code, fails, wanted) VALUES (?, ?, ?, ?, ?, ?, ?, 1) "
                "ON CONFLICT(key) DO UPDATE SET wanted = 1, "
                "number = excluded.number, name = excluded.name, fails = excluded.fails",
                [
                    (key, number, task.kind, task.name, json.dumps(task.inputs, sort_keys=True), code, task.fails)
                    for number, (key, task) in enumerate(keyed.items())
                ],
            )
        finished = {key for (key,) in self.db.execute("SELECT key FROM tasks WHERE verdict IS NOT NULL")}
        return [(key, task) for key, task in keyed.items() if key not in finished]

    def finish(self, key: str, outcome: Outcome) -> None:
        """What has come of a task; raises StoreError if that is known already, or cannot be written."""
        values = [getattr(outcome, name) for name in COLUMNS]
        with self._writing():
            changed = self.db.execute(
                f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in COLUMNS)}, ended = ?, more = ? "
                "WHERE key = ? AND verdict IS NULL",
                [*values, time.time(), json.dumps(outcome.more), key],
            ).rowcount
        if changed != 1:
            raise StoreError(f"{self.path}: task {key} was finished by another campaign that runs now")

    def unshrunk(self) -> list[tuple[str, Task]]:
        """The different schedules that are to be shrunk, each with a task that has found it, the first one first."""
        rows = self.db.execute(
            "SELECT token, kind, name, inputs, min(number) FROM tasks "
            "WHERE wanted AND json_extract(more, '$.unshrunk') GROUP BY token ORDER BY min(number)"
        )
        return [(token, Task(kind, name, json.loads(inputs))) for token, kind, name, inputs, _ in rows]

    def shrunk(self, token: str, outcome: Outcome) -> None:
        """What the schedule of `token` has become, wherever it was found; raises StoreError if it cannot be written."""
        with self._writing():
            self.db.execute(
                "UPDATE tasks SET text = ?, place = ?, token = ?, more = json_patch(json_remove(more, '$.unshrunk'), ?) "
                "WHERE wanted AND token = ? AND json_extract(more, '$.unshrunk')",
                (outcome.text, outcome.place, outcome.token, json.dumps(outcome.more), token),
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; raises StoreError if it cannot be written, and then nothing is."""
        try:
            with self.db:
                yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}; what was finished is kept, the same command goes on") from None

    def verdicts(self) -> dict[tuple[str, str], int]:
        """How many of the wanted ones, by kind and verdict; "" is not finished."""
        rows = self.db.execute(
            "SELECT kind, coalesce(verdict, ''), count(*) FROM tasks WHERE wanted GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return {(kind, verdict): number for kind, verdict, number in rows}

    def failures(self) -> list[Failure]:
        """The different ones, the first one first."""
        rows = self.db.execute("SELECT fault, place, token, text, name, times, seconds FROM failures")
        return [Failure(*row) for row in rows]

    def wrong(self) -> list[str]:
        """Names of those that are no pass, and were not to show a fault; of those that were, what is more than a fault."""
        marks = ", ".join("?" * len(BAD))
        rows = self.db.execute(
            f"SELECT name FROM tasks WHERE wanted AND verdict IN ({marks}) AND NOT (fails AND verdict = 'failed') "
            "ORDER BY number",
            BAD,
        )
        return [name for (name,) in rows]

    def unseen(self) -> list[str]:
        """Names of those that were to show a fault, and did not."""
        rows = self.db.execute(
            "SELECT name FROM tasks WHERE wanted AND fails AND verdict IS NOT NULL AND verdict <> 'failed' ORDER BY number"
        )
        return [name for (name,) in rows]

    def rows(self) -> list[dict[str, Any]]:
        """All that are wanted, in order."""
        cursor = self.db.execute("SELECT * FROM tasks WHERE wanted ORDER BY number")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
