"""Explain a failing schedule in numbered sentences, or print an entry of the catalogue (K-3, I7).

The argument is a token, or the name of a scenario: its failing variant is then explored with seed 1 and the failure shrunk,
which gives the same schedule every time.  An id of the catalogue prints the entry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from collector.catalogue.entries import entries, extent, identifier, nearest
from collector.commands.files import Input, Output
from collector.commands.parser import completes, meant
from collector.commands.plantedfault import PREFIX
from collector.commands.programfile import named
from collector.commands.replay import located, records, replayed
from collector.commands.status import OK, VIOLATION
from collector.commands.tokenfile import tokentext
from collector.commands.usage import UsageError
from collector.commands.variants import about, variant
from collector.explore import explore
from collector.faults import FAULTS
from collector.report.entries import record, told
from collector.report.progress import Progress
from collector.report.schedule.explanation import explained
from collector.report.streams import oneline
from collector.report.tables import linewidth
from collector.scenarios.registry import SCENARIOS, showing
from collector.stress.interrupts import Interrupts


if TYPE_CHECKING:
    import argparse

EXAMPLES = {
    "explain aba": "explore the scenario's failing variant, explain what is found",
    "explain aba.token": "explain the schedule of a token",
    "explain K-3": "a known bug, from the catalogue",
}
ENDS = {OK: "there is no failure to explain, or an entry was printed", VIOLATION: "the schedule explained fails"}
SEED = 1
SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    add = parser.add_argument
    what = "a token, a file with one, a scenario's name or FILE.py:function, an id such as K-3"
    completes(add("what", type=Input, metavar="TOKEN|NAME|ID", help=what), lambda _: SCENARIOS)
    add("--variant", default="failing", metavar="V", help="which variant of the scenario (failing)")
    add("--json", type=Output, metavar="FILE", help="write the schedule's records, or the entry; - is standard output")


def found(name: str, of: str) -> str:
    """The token of the shrunk failure of a scenario's variant; empty if nothing fails."""
    scenario, chosen = variant(name, of)
    with Progress(f"exploring {name} {of}", seconds=SECONDS) as progress, Interrupts() as interrupts:
        result = explore(
            chosen.program,
            schedules=100_000,
            seconds=SECONDS,
            seed=SEED,
            preemptions=scenario.limits.get("preemptions"),
            races=chosen.races,
            plain_points=chosen.plain_points,
            about=about(name, of),
            # Only for a terminal: counting the traces for the display costs time.
            progress=None
            if progress.bar is None
            else lambda so_far, strategy: progress.rate(
                so_far.schedules, so_far.seconds, strategy.name, so_far.outlook
            ),
            stop=lambda: interrupts.count > 0,
        )
    if result.failure is None:
        print(f"{scenario.title}\n{result}")
        interrupts.check()
        return ""
    return result.failure.schedule


def entry(name: str, json: Output | None) -> None:
    """Print the catalogue's entry of that id; raises UsageError."""
    of = entries().get(name)
    if of is None:
        raise UsageError(f"no entry {name}; there are {extent(name)}; near it: {', '.join(nearest(name))}")
    scenarios = showing(name)
    faults = [fault for fault in FAULTS.values() if name in fault.bugs]
    print(told(of, scenarios, faults))
    if json:
        json.writejson(record(of, scenarios, faults))


def main(args: argparse.Namespace) -> int:
    """Explain; returns the exit status."""
    if name := identifier(args.what):
        entry(name, args.json)
        return 0
    if args.what in SCENARIOS or named(args.what) or args.what.startswith(PREFIX):
        token = found(args.what, args.variant)
    else:
        try:
            token = tokentext(args.what)
        except UsageError as error:
            if Path(args.what).exists():
                raise
            near = meant(args.what, SCENARIOS)
            raise UsageError(f"{error}{near}; the scenarios are {', '.join(SCENARIOS)}") from None
    if not token:
        print("ok: there is no failure to explain")
        return 0
    of = located(token)
    for warning in of.warnings:
        print(f"warning: {oneline(warning)}")
    again = replayed(token, of)
    print(explained(again.schedule, of.scenario.title, f"{of.name} {of.of}".strip(), linewidth()))
    print(f"\nsee it step by step: python -m collector.run replay {token} --html FILE")
    if args.json:
        args.json.writejson(records(again, token, of))
    return int(again.fault is not None)
