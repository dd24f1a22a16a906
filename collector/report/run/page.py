"""The HTML report of a stress run: charts of pauses, stopped share and contention, the summary, the lines of all cycles.

Pauses are by the clock and exclude our audits, as in the gctrace line.  The stopped share is the share of objects scanned
while the world was stopped.  A cycle's contention is counted from the end of the cycle before.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from collector.report.page import page
from collector.report.run.charts import Series, bars, lines, panel
from collector.report.run.gctrace import gctrace
from collector.report.run.gctracetoday import MS, Clock
from collector.report.run.lostpicture import picture
from workbuf.counted import counted
from workbuf.recorder import Tally


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.report.run.lost import Why
    from collector.report.run.summary import Summary
    from collector.stress.run import CycleReport

    Draw = Callable[[str, str, Sequence[str], Sequence[Series]], str]


def figures(reports: Sequence[CycleReport]) -> list[dict[str, Any]]:
    """A record for each cycle: what the page draws."""
    made = []
    tallies = [Tally(), *(report.tally for report in reports)]
    for report, (before, after) in zip(reports, pairwise(tallies), strict=True):
        stats, reach = report.stats, report.reach
        clock = Clock.of(stats.stamps, concurrent=stats.concurrent)
        attempts = after.cas_attempts - before.cas_attempts
        failures = after.cas_failures - before.cas_failures
        scanned = stats.scanned_after - stats.scanned_before
        stopped = stats.scanned_after - stats.scanned_markterm
        made.append(
            {
                "cycle": stats.number,
                "concurrent": stats.concurrent,
                "pause_before_ms": clock.sweepterm / MS,
                "mark_ms": clock.mark / MS,
                "pause_markterm_ms": clock.markterm / MS,
                "scanned": scanned,
                "stopped_percent": 100 * stopped / scanned if scanned else 0.0,
                "cas_attempts": attempts,
                "cas_failures": failures,
                "failures_permille": 1000 * failures / attempts if attempts else 0.0,
                "migrations": after.migrations - before.migrations,
                "handoffs": stats.gcstats.get("nhandoff", 0),
                "objects": reach.objects,
                "marked": reach.marked,
                "floating": reach.floating,
            }
        )
    return made


def cyclepanel(title: str, unit: str, draw: Draw, records: Sequence[dict[str, Any]], **names: str) -> str:
    """A chart over the cycles; `names` say which figures, and what they are called."""
    labels = [str(record["cycle"]) for record in records]
    series = [Series(name, [record[figure] for record in records]) for figure, name in names.items()]
    return panel(f"{title}, {unit}", draw(title, unit, labels, series), series)


def cyclerow(record: dict[str, Any]) -> str:
    """A cycle's row in the table."""
    cells = [
        record["cycle"],
        "concurrent" if record["concurrent"] else "stopped",
        f"{record['pause_before_ms']:.2f}",
        f"{record['mark_ms']:.1f}",
        f"{record['pause_markterm_ms']:.2f}",
        f"{record['stopped_percent']:.1f}",
        record["cas_attempts"],
        record["cas_failures"],
        record["migrations"],
        record["handoffs"],
        record["objects"],
        record["marked"],
        record["floating"],
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def report(told: str, why: Why | None) -> str:
    """What failed: the way to the lost object as a picture, if one was lost, and the report."""
    drawn = f'<div class="wide" tabindex="0">{picture(why)}</div>' if why else ""
    return f'<section class="panel"><h2>What failed</h2>{drawn}<pre>{escape(told)}</pre></section>'


def runpage(
    reports: Sequence[CycleReport],
    summary: Summary,
    heap: str,
    command: str,
    failed: str = "",
    told: str = "",
    why: Why | None = None,
) -> str:
    """The page.  `failed` says in a line what failed, and `told` is the report of it; they are empty if nothing did.

    `why` explains a lost object, if one was; `command` runs it again.
    """
    records = figures(reports)
    charts = "".join(
        (
            cyclepanel(
                "Pauses", "ms", bars, records, pause_before_ms="before the mark", pause_markterm_ms="mark termination"
            ),
            cyclepanel(
                "Objects scanned while stopped",
                "% of all scanned",
                lines,
                records,
                stopped_percent="stopped",
            ),
            cyclepanel("CAS failures on list heads", "per thousand", lines, records, failures_permille="failures"),
            cyclepanel("Buffers that changed their M", "migrations", bars, records, migrations="migrations"),
        )
    )
    rows = "".join(f"<tr><th>{escape(what)}</th><td>{escape(said)}</td></tr>" for what, said in summary.rows())
    alone = [str(record["cycle"]) for record in records if not record["concurrent"]]
    outcome = failed or ("interrupted" if summary.interrupted else summary.okline())
    traced = escape("\n".join(gctrace(report.stats) for report in reports))
    return page(
        "report.html",
        {"summary": summary.json(), "cycles": records},
        main="run.html",
        raw={
            "charts": charts if records else "",
            "rows": rows,
            "cycles": "".join(map(cyclerow, records)),
            "verdict": "bad" if failed or summary.interrupted else "good",
            "failure": report(told, why) if told else "",
            "lines": traced,
        },
        title="Stress run",
        stopped=f"Stopped from beginning to end: cycle {', '.join(alone)}." if alone else "",
        outcome=outcome,
        about=f"{heap} · {counted(summary.mutators, 'mutator')}, {counted(summary.helpers, 'helper')} · {summary.python}",
        command=command,
    )
