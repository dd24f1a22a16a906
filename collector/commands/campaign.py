"""Run a campaign: scenarios, tests, stress and heaps as tasks on many cores; what is done is not done again.

SPEC is a TOML file; `campaign --format` prints what may stand in it.  Results go into one SQLite file, which `inspect`
reads.  Killed or interrupted, the same command goes on; a finished task is run again when the code or its inputs have
changed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands.files import Input, Named, Output
from collector.commands.status import OK, USAGE, VIOLATION
from collector.commands.usage import UsageError, atleast, given, positive
from collector.report.progress import Progress
from collector.report.streams import oneline
from collector.report.tables import table
from collector.stress.interrupts import Interrupts


if TYPE_CHECKING:
    import argparse

    from collector.campaign.campaign import Progress as SoFar
    from collector.campaign.store import Failure, Store
    from collector.campaign.task import Outcome, Task

EXAMPLES = {
    "campaign nightly.toml": "all cores of this machine; results in nightly.db",
    "campaign nightly.toml --jobs 8 --html nightly.html": "and a page",
    "campaign nightly.toml --cluster tcp://scheduler:8786": "on a Dask cluster that is there already",
    "campaign --format": "what may stand in SPEC",
    'inspect nightly.db --sql "SELECT * FROM failures"': "ask the results",
}
ENDS = {
    OK: "no task failed that was not to; a line says so if not all were done",
    VIOLATION: "one did: a fault, or a process that died; the last lines say which",
    USAGE: "bad usage, a specification that cannot be read, no Dask, or no cluster",
}
MOST = 12
"""Lines of a list that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `campaign`."""
    add = parser.add_argument
    add("spec", nargs="?", type=Input, metavar="SPEC", help="the specification, a TOML file")
    add("--format", action="store_true", help="print what may stand in SPEC")
    add("--results", type=Named, metavar="FILE", help="the SQLite file of results (SPEC with the ending .db)")
    add("--jobs", type=atleast(1, 10_000), metavar="N", help="processes here (all cores)")
    where = "a Dask scheduler, tcp://HOST:PORT, or its scheduler file, instead of processes here"
    add("--cluster", type=given, metavar="WHERE", help=where)
    add("--dashboard", action="store_true", help="Dask's own, and print its address")
    over = "stop after S seconds; tasks under way are ended, and run again by the same command"
    add("--seconds", type=positive, default=None, metavar="S", help=over)
    add("--first", action="store_true", help="stop at the first task that fails and was not to")
    add("--html", type=Output, metavar="FILE", help="write a page: progress, rates, coverage, failures")
    add("--json", type=Output, metavar="FILE", help="write the summary; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Plan, run, print; returns the exit status."""
    from collector.campaign import spec  # noqa: PLC0415  not for the help
    from collector.campaign.cluster import ClusterError  # noqa: PLC0415
    from collector.campaign.store import Store, StoreError  # noqa: PLC0415

    if args.format and args.spec:
        raise UsageError("--format: it prints what may stand in a specification, and runs none: leave out SPEC")
    if args.jobs is not None and args.cluster:
        raise UsageError("--jobs: --cluster has processes of its own; leave out one of the two")
    if args.format:
        print((spec.__doc__ or "").rstrip())
        return OK
    if not args.spec:
        raise UsageError("name a specification (campaign --format says what may stand in it)")
    results = args.results or str(Path(args.spec).with_suffix(".db"))
    try:
        tasks = spec.tasks(args.spec)
        with Store(results) as store:
            whole = done(args, store, tasks)
            return concluded(args, store, results, whole=whole)
    except (spec.SpecError, StoreError, ClusterError) as error:
        raise UsageError(oneline(str(error))) from None


def done(args: argparse.Namespace, store: Store, tasks: list[Task]) -> bool:
    """Do what is not done yet; False if it was stopped before the end."""
    from collector.campaign import campaign  # noqa: PLC0415  as above
    from collector.campaign.cluster import Cluster  # noqa: PLC0415
    from collector.campaign.version import version  # noqa: PLC0415
    from collector.commands.search import asked  # noqa: PLC0415

    todo = store.plan(tasks, version())
    total = sum(store.verdicts().values())
    so_far = campaign.Progress(total, total - len(todo))
    if so_far.done:
        print(f"{so_far.done} of {total} tasks were done before")
    if not todo and not store.unshrunk():
        return True
    with Progress("campaign", total) as progress, Interrupts() as interrupts:
        progress.say("beginning processes")
        with Cluster(args.jobs or os.cpu_count() or 1, args.cluster or "", dashboard=args.dashboard) as cluster:
            if args.dashboard:
                progress.line(f"dashboard: {cluster.dashboard}")

            def told(task: Task, outcome: Outcome) -> None:
                if outcome.verdict in {"lost", "bug", "refused"} or (outcome.verdict == "failed" and not task.fails):
                    progress.line(oneline(f"{outcome.verdict}: {task.name}: {outcome.text}"))
                show(progress, so_far)

            whole = campaign.run(
                todo,
                store,
                cluster,
                asked,
                so_far,
                told,
                lambda: interrupts.count > 0,
                args.seconds,
                first=args.first,
            )
    args.interrupted = interrupts.count > 0
    return whole


def show(progress: Progress, so_far: SoFar) -> None:
    """The line on the terminal: the share that is done, rate, processes, what is left."""
    if progress.bar:
        what = f"campaign: {so_far.done} of {so_far.total}, {so_far.rate:.1f}/s, {so_far.workers} processes"
        if so_far.bad:
            what += f", {so_far.bad} bad"
        progress.bar.update(progress.task, completed=so_far.done, total=so_far.total, description=what, refresh=True)


def concluded(args: argparse.Namespace, store: Store, results: str, *, whole: bool) -> int:
    """Print what there is; returns the exit status."""
    verdicts, failures, wrong, unseen = store.verdicts(), store.failures(), store.wrong(), store.unseen()
    print(table([(kind, verdict or "not done", str(n)) for (kind, verdict), n in verdicts.items()], ("tasks", "", "")))
    if failures:
        print("\nfailures, each once:")
        rows = [(str(one.times), one.fault, one.name, oneline(one.text)[:160], one.place) for one in failures[:MOST]]
        print(table(rows, ("times", "kind", "first found by", "what", "where")))
        if len(failures) > MOST:
            print(f"(and {len(failures) - MOST} more)")
        for one in failures[:MOST]:
            if one.token:
                print(f"replay with: python -m collector.run replay {one.token}")
    for what, names in (("was to show a fault, and did not", unseen), ("is no pass", wrong)):
        for name in names[:MOST]:
            print(f"{what}: {name}")
        if len(names) > MOST:
            print(f"(and {len(names) - MOST} more)")
    print(f"\nresults: {results} (python -m collector.run inspect {results})")
    if args.html:
        from collector.campaign.page import campaignpage  # noqa: PLC0415  as above

        command = f"python -m collector.run campaign {args.spec}"
        args.html.writetext(campaignpage(store.rows(), failures, command, steppages(args.html, failures)))
    if args.json:
        args.json.writejson(
            {
                "verdicts": {f"{kind} {verdict}".strip(): n for (kind, verdict), n in verdicts.items()},
                "failures": [one._asdict() for one in failures],
                "wrong": wrong,
                "unseen": unseen,
                "whole": whole,
            }
        )
    if getattr(args, "interrupted", False):
        raise KeyboardInterrupt
    if not whole:
        print("not all tasks were done; the same command goes on, and runs again what was under way")
    return VIOLATION if wrong else OK


def steppages(html: Output, failures: list[Failure]) -> dict[str, str]:
    """Write a page to step through for each of the first failures, beside the report; its file's name by token."""
    from collector.commands.replay import located, records, replayed  # noqa: PLC0415  as above
    from collector.report.atomicwrite import replacing  # noqa: PLC0415
    from collector.report.page import page  # noqa: PLC0415

    written: dict[str, str] = {}
    for number, one in enumerate((one for one in failures if one.token), 1):
        if html == "-" or number > MOST:
            break
        path = Path(html).with_name(f"{Path(html).stem}-failure-{number}.html")
        found = located(one.token)
        schedule = records(replayed(one.token, found), one.token, found)
        with replacing(path) as file:
            file.write(page("steps.html", schedule, title=found.scenario.title).encode())
        written[one.token] = path.name
    return written
