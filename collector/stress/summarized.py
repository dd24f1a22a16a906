"""The figures of a stress run, from its parts: reports of its cycles, events, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from collector.report.run.summary import Summary
from collector.stress.markers import marks
from workbuf.events import Event
from workbuf.local import WORK


if TYPE_CHECKING:
    from collector.stress.run import Stress


def summarized(run: Stress, python: str, wall: float, error: BaseException | None) -> Summary:
    """What `run` counted, complete or not."""
    reports, recorder, config = run.reports, run.recorder, run.plan.config
    last = reports[-1].reach if reports else None
    total, tally = recorder.total, run.tally()
    scanned = sum(r.stats.scanned_after - r.stats.scanned_before for r in reports)
    stopped = sum(r.stats.scanned_after - r.stats.scanned_markterm for r in reports)
    kind = error.kind if isinstance(error, Violation) else ""
    return Summary(
        cycles=len(reports),
        mutators=config.mutators,
        helpers=config.helpers,
        objects=last.objects if last else run.objects,
        reachable=last.reachable if last else 0,
        marked=last.marked if last else 0,
        lost=error.count if isinstance(error, Violation) and kind == "lost" else 0,
        floating=sum(r.reach.floating for r in reports),
        freed=run.freed,
        violations=int(error is not None and not isinstance(error, KeyboardInterrupt)),
        buffers=run.machine.peek(run.world.work + WORK.nbuffers),
        buffers_leaked=error.count if isinstance(error, Violation) and kind == "leak" else 0,
        migrations=tally.migrations,
        steals=recorder.steals,
        cas_attempts=tally.cas_attempts,
        cas_failures=tally.cas_failures,
        handoffs=total(Event.HANDOFF),
        nwait_max=recorder.nwait_max,
        stw_share=round(stopped / scanned, 4) if scanned else 0.0,
        wall_s=round(wall, 2),
        seed=run.plan.seed,
        python=python,
        atomics=run.machine.binding,
        harvested=[(r.stats.harvested_mark, r.stats.harvested_markterm) for r in reports],
        gets=total(Event.GET),
        puts=total(Event.PUT),
        assists=total(Event.ASSIST),
        waits=total(Event.WAIT),
        self_scans=total(Event.SCANSTACK),
        events_dropped=recorder.dropped,
        **marks([r.stats for r in reports]),
        interrupted=isinstance(error, KeyboardInterrupt),
    )
