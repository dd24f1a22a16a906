"""Logs written by the log's own writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collector.report.log.database import Logfile
from collector.report.log.writer import EventLog
from workbuf.events import FULL, Event
from workbuf.recorder import Record


ROOT = Path(__file__).parents[4]
HEADER: dict[str, Any] = {"seed": 1, "python": "3.x", "command": "x", "threads": ["gc", "a", "b"]}
SMALL = ["--heap", "synthetic:random,n=300,m=600,seed=1", "--cycles", "2", "--mutators", "2", "--quiet"]


def written(path: Path, records: list[Record], **options: Any) -> None:  # noqa: ANN401  EventLog's
    """Write a log."""
    log = EventLog(path, lambda b: f"wbuf{b}", HEADER, **options)
    log.events(records)
    log.event("end", dropped=0)
    log.close()


def puts(n: int) -> list[Record]:
    """`n` puts."""
    return [Record(1000 + i, 1, Event.PUT, i % 5, 358, FULL) for i in range(n)]


def counted(path: Path) -> int:
    """Events in a log."""
    with Logfile.open(str(path)) as log:
        (count,) = log.db.execute("SELECT COUNT(*) FROM events").fetchone()
        return int(count)
