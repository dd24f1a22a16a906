"""The report page of a campaign: one HTML file that needs nothing else, with charts of what was done, and the failures."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from collector.campaign.task import BAD
from collector.explore.strategies.distinct import Distinct
from collector.report.page import page
from collector.report.run.charts import Series, bars, lines, panel
from collector.report.streams import oneline


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from collector.campaign.store import Failure

POINTS = 24
"""Of a line."""
MOST = 2_000
"""Tasks in the table."""


def campaignpage(
    rows: Sequence[Mapping[str, Any]], failures: Sequence[Failure], command: str, steps: Mapping[str, str] | None = None
) -> str:
    """The page; `rows` are the tasks, `steps` names the page to step through for the token of a failure."""
    done = sorted((row for row in rows if row["verdict"]), key=lambda row: row["ended"])
    verdicts = Counter(row["verdict"] for row in done)
    bad = sum(one.times for one in failures)
    charts = "".join((*over_time(done), per_process(done))) if done else ""
    said = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
    seconds = sum(row["seconds"] for row in done)
    workers = len({row["worker"] for row in done})
    processes = "1 process" if workers == 1 else f"{workers} processes"
    return page(
        "report.html",
        {"tasks": [{key: row[key] for key in ("name", "kind", "verdict", "text", "seconds", "token")} for row in rows]},
        main="campaign.html",
        raw={
            "charts": charts,
            "failures": "".join(failurerow(one, steps or {}) for one in failures),
            "tasks": "".join(map(taskrow, rows[:MOST])),
            "verdict": "bad" if bad else "good",
        },
        title="Campaign",
        outcome=f"{len(done)} of {len(rows)} tasks are done: {said}" if done else "nothing is done yet",
        about=f"{seconds:,.0f} s of work by {processes} · {len(failures)} different failures in {bad} tasks",
        cut=f"The first {MOST} of {len(rows)} tasks; `inspect` has them all." if len(rows) > MOST else "",
        command=command,
    )


def over_time(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was reached after so many tasks, if anything was."""
    step = max(1, -(-len(done) // POINTS))
    at = [*range(step - 1, len(done), step)]
    labels = [str(i + 1) for i in at]

    def grown(name: str) -> list[float]:
        sums = list(accumulate(row[name] or 0 for row in done))
        return [float(sums[i]) for i in at]

    traces = list(together(done))
    failing = list(accumulate(float(row["verdict"] in BAD) for row in done))
    charts = {
        "Schedules": [Series("schedules", grown("schedules"))],
        "Coverage": [
            Series("states", grown("states")),
            Series("different traces, of all tasks together", [traces[i] for i in at]),
        ],
        "Failures": [Series("failures", [failing[i] for i in at])],
    }
    counted = {title: [one for one in of if any(one.values)] for title, of in charts.items()}
    return [
        panel(f"{title}, in all", lines(title, "in all", labels, of, "tasks"), of)
        for title, of in counted.items()
        if of
    ]


def together(done: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    """After each task, how many different traces those so far have seen together; another program has other traces."""
    seen: defaultdict[tuple[str, ...], Distinct] = defaultdict(Distinct)
    numbers: dict[tuple[str, ...], int] = {}
    for row in done:
        some = json.loads(row["more"] or "{}").get("distinct")
        if some:
            inputs = json.loads(row["inputs"])
            program = (*(str(inputs.get(name, "")) for name in ("program", "variant", "file")), row["code"])
            seen[program].add(some)
            numbers[program] = seen[program].number
        yield float(sum(numbers.values()))


def per_process(done: Sequence[Mapping[str, Any]]) -> str:
    """How much each process did in a second of its work."""
    seconds: defaultdict[str, float] = defaultdict(float)
    tasks: Counter[str] = Counter()
    for row in done:
        seconds[row["worker"]] += row["seconds"]
        tasks[row["worker"]] += 1
    names = sorted(name for name in tasks if seconds[name])
    rates = [Series("tasks a second", [tasks[name] / seconds[name] for name in names])]
    numbers = [str(number) for number in range(1, len(names) + 1)]
    return panel("Rate of each process, tasks a second", bars("Rate", "a second", numbers, rates, "process"), rates)


def failurerow(one: Failure, steps: Mapping[str, str]) -> str:
    """A different failure."""
    link = steps.get(one.token)
    schedule = f'<a href="{escape(link)}">step through it</a>' if link else ""
    token = f"<code>{escape(one.token)}</code>" if one.token else ""
    cells = [str(one.times), escape(one.fault), escape(one.name), escape(oneline(one.text)), escape(one.place)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in (*cells, f'{schedule} {token}'))}</tr>"


def taskrow(row: Mapping[str, Any]) -> str:
    """A task."""
    seconds = "" if row["seconds"] is None else f"{row['seconds']:.2f}"
    cells = [row["name"], row["verdict"] or "not done", row["schedules"] or "", seconds, oneline(row["text"] or "")]
    return f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
