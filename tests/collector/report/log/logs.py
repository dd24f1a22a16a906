"""A log made by hand: one buffer's life from get to harvest; and what inspect answers from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from collector.report.log.writer import SCHEMA, VERSION
from collector.run import main


if TYPE_CHECKING:
    from pathlib import Path


HEADER = {
    "schema": SCHEMA,
    "version": VERSION,
    "seed": 7,
    "python": "3.11",
    "command": "x",
    "threads": ["gc", "a", "b"],
}

LIFE = [
    {"t": 1000, "m": "gc", "event": "cycle", "number": 1, "forced": 0},
    {"t": 2000, "m": "a", "event": "get", "wbuf": "wbuf1", "entry": 359, "site": "s", "list": "empty"},
    {"t": 9000, "m": "a", "event": "put", "wbuf": "wbuf1", "entry": 358, "site": "s", "list": "full"},
    {"t": 10000, "m": "b", "event": "get", "wbuf": "wbuf1", "entry": 504, "site": "s", "list": "full"},
    {"t": 10500, "m": "b", "event": "cached", "wbuf": "wbuf1"},
    {"t": 900_000, "m": "gc", "event": "harvested", "wbuf": "wbuf1", "owner": 2, "nobj": 3},
    {"t": 901_000, "m": "gc", "event": "put", "wbuf": "wbuf1", "entry": 947, "site": "s", "list": "full"},
    {
        "event": "gctrace",
        "cycle": 1,
        "line": "gc 1",
        "objects": 9,
        "reachable": 8,
        "marked": 8,
        "floating": 0,
        "seconds": 1,
    },
    {"event": "end", "dropped": 4},
]


def answer(path: str, *words: str, tmp_path: Path) -> list[list[Any]]:
    """The rows that inspect writes as JSON."""
    out = tmp_path / "answer.json"
    assert main(["inspect", path, *words, "--json", str(out)]) == 0
    rows: list[list[Any]] = json.loads(out.read_text())["rows"]
    return rows
