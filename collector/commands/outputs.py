"""The files that a stress run writes: log, timeline, report page, summary.

Log and timeline grow with every cycle, page and summary are written at the end.  When a file cannot be written any
further, one line says so, the option is noted as failed, and the run and its other files go on.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.report.log.writer import EventLog
from collector.report.run.colours import colours
from collector.report.run.gctrace import gctrace
from collector.report.run.page import runpage
from collector.report.run.timeline import Painter, Timeline


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from collector.report.run.summary import Summary
    from collector.stress.run import CycleReport, Stress
    from workbuf.recorder import Record


class Outputs:
    """What `--log`, `--trace`, `--html` and `--json` ask for of `run`; `facts` (seed, python, command) stand in them."""

    def __init__(self, args: argparse.Namespace, run: Stress, facts: dict[str, Any]) -> None:
        """Opens the log; raises LogError."""
        self.args = args
        self.run = run
        self.facts = facts
        self.log: EventLog | None = None
        if args.log:
            header = {**facts, "threads": run.threads}
            packing = {"rotation": args.log_rotation, "compression": args.log_compression}
            self.log = EventLog(Path(args.log), run.buffername, header, **packing)
        self.timeline = Timeline(run.threads, run.buffername) if args.trace else None
        painter = Painter(self.timeline, partial(colours, run.machine, run.world)) if self.timeline else None
        self.tick: Callable[[], object] = painter or (lambda: None)
        """To be called every now and then while the run goes on."""

    def cycle(self, report: CycleReport) -> None:
        """One finished cycle."""
        if self.timeline:
            self.timeline.add(report.events)
        if self.log:
            self.log.events(report.events)
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

    def end(self, rest: Iterable[Record], error: BaseException | None) -> None:
        """The run is over, early if there is an `error`; `rest` are the events since the last finished cycle."""
        if self.log:
            self.log.events(rest)
            if error:
                self.log.event("failure", text=str(error), error=type(error).__name__)
            self.log.event("end", dropped=self.run.recorder.dropped)
            self.log.close()
            self.args.log.failed = bool(self.log.broken)
        timeline = self.timeline
        if timeline:
            timeline.add(rest)
            with self.args.trace.written() as file:
                timeline.write(file, self.facts)

    def reports(self, summary: Summary, told: str) -> None:
        """Page and summary; `told` is what was printed of a failure."""
        command = self.facts["command"]
        if self.args.json:
            self.args.json.writejson(summary.json())
        if self.args.html:
            self.args.html.writetext(runpage(self.run.reports, summary, self.args.heap, command, told))
