"""Checkpoints of one program's search: an SQLite file from which the same command goes on.

    about(key TEXT PRIMARY KEY, value TEXT)     what is searched: `format`, then each part of the question, as JSON
    totals(key TEXT PRIMARY KEY, value TEXT)    what was counted in parts that have come back, as JSON
    left(source TEXT PRIMARY KEY, value TEXT)   per source of parts, how far it has come, as JSON

Guards.  Totals and what is left are written in one transaction, so a search that was killed goes on from a state in which
each part counts once or not at all; what was under way then is run again.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from time import perf_counter
from typing import TYPE_CHECKING, Any

from collector.campaign.ownfile import OwnFileError, opened
from collector.explore.claim import Claim, Kind, Seen


if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.campaign.split import Split

APPLICATION = 1463961443
FORMAT = 2
EVERY = 1.0
"""Seconds between two checkpoints, at least;"""
SHARE = 20
"""and so many times what one takes."""
TOTALS = ("schedules", "pruned", "steps", "states", "seconds", "warnings", "notes")
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS totals (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS left (source TEXT PRIMARY KEY, value TEXT);
"""


class CheckpointError(Exception):
    """The file cannot be gone on from: the text says why."""


class Checkpoint:
    """The file; opened, or made, for the search that `about` tells."""

    def __init__(self, path: str, about: Mapping[str, object]) -> None:
        """Raises CheckpointError."""
        self.path = path
        self.next = 0.0
        asked = json.loads(json.dumps(about))
        try:
            self.db = opened(path, "checkpoints", APPLICATION, FORMAT, SCHEMA)
        except OwnFileError as error:
            raise CheckpointError(str(error)) from None
        try:
            self._belongs(asked)
        except (sqlite3.Error, ValueError) as error:
            self.db.close()
            raise CheckpointError(f"{path}: it cannot be read: {error}") from None
        except CheckpointError:
            self.db.close()
            raise

    def _belongs(self, asked: dict[str, Any]) -> None:
        """It is of this search, or new."""
        known = self._read("about", "key")
        if not known:
            with self.db:
                self._write("about", asked)
        for key, value in asked.items() if known else ():
            if known.get(key) != value:
                raise CheckpointError(
                    f"{self.path}: a checkpoint of another search: {key} was {known.get(key)}, and now is {value}; "
                    "give this one a file of its own, or remove it"
                )

    def _read(self, table: str, key: str) -> dict[str, Any]:
        rows = self.db.execute(f"SELECT {key}, value FROM {table}")
        return {name: json.loads(value) for name, value in rows}

    def _write(self, table: str, values: Mapping[str, object]) -> None:
        self.db.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",
            [(key, json.dumps(value)) for key, value in values.items()],
        )

    def restore(self, split: Split) -> bool:
        """Bring the search to where the file says; False if that is the beginning.  Raises CheckpointError."""
        try:
            return self._restore(split)
        except (sqlite3.Error, ValueError, LookupError, TypeError) as error:
            raise CheckpointError(f"{self.path}: it cannot be read: {error}; remove it to begin again") from None

    def _restore(self, split: Split) -> bool:
        totals = self._read("totals", "key")
        if not totals:
            return False
        if totals["ends_early"]:
            split.begin_again(totals["ends_early"])
        for name in TOTALS:
            setattr(split.result, name, totals[name])
        split.counted, split.cost, split.compared = totals["counted"], totals["cost"], totals["compared"]
        split.caveats = dict.fromkeys(totals["caveats"])
        split.hindrances = {name: claim_of(record) for name, record in totals["hindrances"].items()}
        left = self._read("left", "source")
        for source in split.sources:
            source.restore(left[source.name])
        return True

    def save(self, split: Split, *, now: bool = False) -> None:
        """Write where the search is, if that is due.  If it cannot be written the search goes on, and a note says so."""
        begun = perf_counter()
        if begun < self.next and not now:
            return
        totals: dict[str, object] = {name: getattr(split.result, name) for name in TOTALS}
        for name, count in split.cut_off.items():
            totals[name] = getattr(split.result, name) - count
        totals |= {"counted": split.counted, "cost": split.cost, "compared": split.compared}
        totals |= {"caveats": list(split.caveats), "ends_early": split.question.ends_early}
        totals |= {"hindrances": {name: asdict(claim) for name, claim in split.hindrances.items()}}
        try:
            with self.db:
                self._write("totals", totals)
                self._write("left", {source.name: source.record() for source in split.sources})
        except sqlite3.Error as error:
            note = f"{self.path} could not be written ({error}): it says how far the search was before"
            if note not in split.result.notes:
                split.result.notes.append(note)
        ended = perf_counter()
        self.next = ended + max(EVERY, SHARE * (ended - begun))

    def close(self) -> None:
        """The search is over."""
        self.db.close()


def claim_of(record: Mapping[str, Any]) -> Claim:
    """The claim that was written down."""
    fields = {**record, "kind": Kind(record["kind"]), "seen": Seen(record["seen"]), "caveats": tuple(record["caveats"])}
    return Claim(**fields)
