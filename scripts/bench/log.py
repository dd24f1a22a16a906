"""What --log costs: a run with it over one without, and over itself without the writing; and what a line costs."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from collector import heaps
from collector.commands.stressoptions import DEFAULT_PROGRAMS, EVERY_EVENT
from collector.report.log.writer import EventLog, tostderr
from collector.runtime import Config
from collector.stress.run import Plan, Stress
from scripts.bench.rows import Row, inturn
from scripts.bench.start import spent


if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.stress.run import CycleReport

HEAP = "synthetic:random,n=30000,m=78000,seed=1"
CYCLES = 2


def rows(rounds: int) -> Iterator[Row]:
    """Whole runs differ among each other; how much of a run is writing does not."""
    tostderr("WARNING")
    made = [written(seed) for seed in range(1, rounds + 1)]
    each = sorted(writing / lines for _, writing, lines in made)[rounds // 2] * 1e6
    ratios = [total / (total - writing) for total, writing, _ in made]
    lines = sum(lines for *_, lines in made) // rounds
    note = f"{lines} lines a run"
    yield Row(
        f"run of {CYCLES} cycles with --log", "itself without the writing", ratios, each, "us/line", 1.15, note=note
    )
    with tempfile.TemporaryDirectory() as folder:
        log = str(Path(folder) / "run.log")
        sides = {"with": lambda: command("--log", log), "without": command}
        found = inturn(rounds, sides)
    over = "the command without"
    figure = found.median("with")
    yield Row(f"run of {CYCLES} cycles with --log", over, found.ratios("with", "without"), figure, "s", 1.15)


def command(*options: str) -> float:
    """Processor seconds of a run of the command line."""
    arguments = ["stress", "--quiet", "--heap", HEAP, "--cycles", str(CYCLES), "--seed", "7", *options]
    return spent([sys.executable, "-m", "collector.run", *arguments])


def written(seed: int) -> tuple[float, float, int]:
    """Processor seconds of a run with a log, those of writing it, and its lines."""
    programs = tuple(DEFAULT_PROGRAMS.split(",")[:4])
    plan = Plan(
        config=Config(mutators=4, helpers=2), programs=programs, cycles=CYCLES, seed=seed, ring=EVERY_EVENT, events=True
    )
    run = Stress(plan, heaps.read(HEAP))
    writing, lines = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder) / "run.log", run.buffername, {"threads": run.threads})

        def seen(report: CycleReport) -> None:
            nonlocal writing, lines
            began = time.thread_time()
            log.events(report.events)
            writing += time.thread_time() - began
            lines += len(report.events)

        began = time.process_time()
        run.run(seen)
        before = time.thread_time()
        log.close()
        writing += time.thread_time() - before
        return time.process_time() - began, writing, lines
