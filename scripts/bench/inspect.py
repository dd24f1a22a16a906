"""`inspect` on a log of a million events: opening it, and each question, over reading its lines.

The events are made up, but as a run would send them: buffers on their way between threads, the lists and the caches, a
cycle every 100,000; the run's own writer writes them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from time import thread_time
from typing import TYPE_CHECKING

from collector.report.log.writer import EventLog, tostderr
from scripts.bench.rows import Row
from scripts.bench.start import spent
from workbuf.events import EMPTY, FULL, Event
from workbuf.recorder import Record


if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = 1_000_000
READ = "import json, sys\nfor line in open(sys.argv[1], encoding='utf-8'): json.loads(line)"
THREADS = ["gc", "rewire0", "pushpop1", "hider2", "finalizers3", "helper0", "helper1"]
BUFFERS = 500
A_CYCLE = 100_000
QUESTIONS = (
    ["summary"],
    ["wbuf", "17"],
    ["m", "3"],
    ["cycle", "4"],
    ["contention"],
    ["who-held", "500us"],
    ["violations"],
    ["contention", "--m", "2", "--from", "100ms", "--to", "2s"],
    ["--sql", "SELECT event, list, COUNT(*) FROM events GROUP BY event, list"],
)


def records(n: int, seed: int = 1) -> list[Record]:
    """`n` events by time, in which each buffer is put and got in turn."""
    draw = Random(seed)
    owner: dict[int, int] = {}
    place = dict.fromkeys(range(BUFFERS), EMPTY)
    made: list[Record] = []
    t = 0
    while len(made) < n:
        t += draw.randrange(500, 20_000)
        if len(made) % A_CYCLE == 0:
            made.append(Record(t, 0, Event.CYCLE, len(made) // A_CYCLE + 1, 0, 0))
            continue
        b, thread = draw.randrange(BUFFERS), draw.randrange(len(THREADS))
        if b not in owner:
            owner[b] = thread
            made.append(Record(t, thread, Event.GET, b, 504 if place[b] == FULL else 359, place[b]))
        else:
            place[b] = draw.choice((FULL, EMPTY))
            made.append(Record(t, owner.pop(b), Event.PUT, b, 358 if place[b] == FULL else 496, place[b]))
    return made


def rows(rounds: int) -> Iterator[Row]:
    """Each question in a process of its own; the first finds the log unread."""
    tostderr("WARNING")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        made = records(EVENTS)
        began = thread_time()
        write(path, made)
        spared = thread_time() - began
        reading = [spent([sys.executable, "-c", READ, str(path)]) for _ in range(rounds)]
        over = "json.loads of every line"
        command = [sys.executable, "-m", "collector.run", "inspect", str(path)]
        opened = spent([*command, "summary"])
        note = f"{path.stat().st_size / 1e6:.0f} MB, written in {spared / EVENTS * 1e6:.1f} us a line"
        yield Row("inspect, log unread", over, [opened / seconds for seconds in reading], opened, "s", note=note)
        for question in QUESTIONS:
            asked = [spent([*command, *question]) for _ in range(rounds)]
            ratios = [mine / theirs for mine, theirs in zip(asked, reading, strict=True)]
            yield Row(f"inspect {' '.join(question[:2])}"[:38], over, ratios, median(asked), "s")


def write(path: Path, made: list[Record]) -> None:
    """As a log of a run."""
    header = {"seed": 1, "python": sys.version.split()[0], "command": "made up", "threads": THREADS}
    log = EventLog(path, lambda b: f"wbuf{b}", header)
    log.events(made)
    log.event("end", dropped=0)
    log.close()
