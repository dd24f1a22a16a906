"""Writes the files of a stress run: log, timeline, report page, JSON summary.

Log and timeline grow with every cycle; page and summary are written at the end.  When a file cannot be written any
further, one line says so, its option is marked as failed, and the run and its other files go on.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from collector.report.log.writer import EventLog
from collector.report.run.colours import colours
from collector.report.run.gctrace import gctrace
from collector.report.run.page import runpage
from collector.report.run.timeline import ColourCounter, Timeline


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collector.report.run.lost import Why
    from collector.report.run.summary import Summary
    from collector.stress.run import CycleReport, Stress
    from workbuf.recorder import Record


END_SECONDS = 5.0
"""Seconds for writing the log's last events in a run that ends early."""
MOST_LATE, MOST_SLICES = 100_000, 1_000_000
"""Of the timeline's: the newest events that are still taken then, and the newest slices and counters that are written."""


class Outputs:
    """What `--log`, `--trace`, `--html` and `--json` ask for of `run`; `facts` (seed, python, command) stand in them."""

    def __init__(
        self, args: argparse.Namespace, run: Stress, facts: dict[str, Any], hurried: Callable[[], bool]
    ) -> None:
        """Opens the log; raises LogError.  `hurried` says whether the run is to end early."""
        self.hurried = hurried
        self.late: list[CycleReport] = []
        self.args = args
        self.run = run
        self.facts = facts
        self.log: EventLog | None = None
        if args.log:
            header = {**facts, "plant": args.plant or "", "threads": run.threads}
            packing = {"rotation": args.log_rotation, "compression": args.log_compression}
            self.log = EventLog(Path(args.log), run.buffername, header, **packing)
        self.timeline = Timeline(run.threads, run.buffername) if args.trace else None
        counter = ColourCounter(self.timeline, partial(colours, run.machine, run.world)) if self.timeline else None
        self.tick: Callable[[], object] = counter or (lambda: None)
        """To be called every now and then while the run goes on."""

    @property
    def beats(self) -> int:
        """A number that grows while something is written."""
        return self.log.written if self.log else 0

    def cycle(self, report: CycleReport) -> None:
        """One finished cycle.  Once the run is to end early its events wait for `end`, which takes the newest first."""
        if self.hurried():
            self.late.append(report)
            return
        if self.timeline:
            self.timeline.add(report.events)
        if self.log:
            self.log.events(report.events)
            self._finished(report)

    def _finished(self, report: CycleReport) -> None:
        if self.log:
            self.log.event(
                "gctrace",
                line=gctrace(report.stats),
                cycle=report.stats.number,
                objects=report.reach.objects,
                reachable=report.reach.reachable,
                marked=report.reach.marked,
                floating=report.reach.floating,
                seconds=report.seconds,
            )

    def end(self, rest: list[Record], error: BaseException | None) -> None:
        """The run is over, early if there is an `error`; `rest` are the events since the last finished cycle.

        Of a run that ends early the oldest events that could not be written within END_SECONDS are counted as dropped.
        """
        records = [record for report in self.late for record in report.events] + rest if self.late else rest
        dropped = self.run.recorder.dropped
        if self.log:
            if error:
                dropped += self.log.newest(records, monotonic() + END_SECONDS)
            else:
                self.log.events(records)
            for report in self.late:
                self._finished(report)
            if error:
                self.log.event("failure", text=str(error), error=type(error).__name__)
            self.log.event("end", dropped=dropped)
            self.log.close(hurry=error is not None)
            self.args.log.failed = bool(self.log.broken)
        timeline = self.timeline
        if timeline:
            with self.args.trace.written() as file:
                timeline.add(records[-MOST_LATE:] if error else records)
                timeline.write(file, self.facts, MOST_SLICES if error else None)

    def reports(self, summary: Summary, failed: str, told: str, why: Why | None = None) -> None:
        """Write page and summary; `failed` says a failure in a line, if there was one, `told` is its report.

        `why` explains a lost object.
        """
        command = self.facts["command"]
        if self.args.json:
            self.args.json.writejson(summary.json())
        if self.args.html:
            self.args.html.writetext(runpage(self.run.reports, summary, self.args.heap, command, failed, told, why))
