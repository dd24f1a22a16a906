"""Measures `inspect` on a log of a million events: seconds to open it, and to answer each question.

    python scripts/bench_inspect.py [--events 1000000] [--log FILE]

The events are made up, but as a run would send them: buffers on their way between threads, the lists and the caches, a
cycle every 100,000; `report/log.py` writes them.  With --log, that log is asked instead.  Each question is a process of
its own, timed from its start to its end, as a user waits for it; the first finds the log unread.  On a busy machine the
processor's time says more than the clock.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from collector.report.log.writer import EventLog, tostderr
from workbuf.events import EMPTY, FULL, Event
from workbuf.recorder import Record


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


def write(path: Path, n: int) -> float:
    """Write the log; returns the seconds of processor time that took."""
    made = records(n)
    began = time.process_time()
    log = EventLog(
        path,
        lambda b: f"wbuf{b}",
        {"seed": 1, "python": sys.version.split()[0], "command": "made up", "threads": THREADS},
    )
    log.events(made)
    log.event("end", dropped=0)
    log.close()
    return time.process_time() - began


def ask(path: Path, words: list[str]) -> str:
    """How long a question takes, in a process of its own: by the clock, and processor time."""
    began, used = time.perf_counter(), processor()
    command = [sys.executable, "-m", "collector.run", "inspect", str(path), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return f"{time.perf_counter() - began:6.2f} s  {processor() - used:6.2f} s"


def processor() -> float:
    """Seconds of processor time that the processes asked so far have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    tostderr("WARNING")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        if args.log:
            path.write_bytes(args.log.read_bytes())
        else:
            seconds = write(path, args.events)
            print(f"written: {args.events} events, {1e6 * seconds / args.events:.1f} us of processor time each")
        print(f"the log: {path.stat().st_size / 1e6:.1f} MB")
        print("           by clock  processor  question")
        print(f"opened   {ask(path, ['summary'])}  (the first: summary)")
        for words in QUESTIONS:
            print(f"answered {ask(path, list(words))}  {' '.join(words)}")


if __name__ == "__main__":
    main()
