"""List the scenarios: known bugs and planted faults, each with variants that fail and variants that do not.

With --bugs: the catalogue's known bugs instead, each with the scenarios that show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.catalogue.entries import Bug, entries
from collector.commands.files import Output
from collector.report.tables import table
from collector.scenarios.registry import SCENARIOS, showing


if TYPE_CHECKING:
    import argparse


EXAMPLES = {"scenarios": "", "scenarios --bugs": "the known bugs", "scenarios --json -": "as JSON on stdout"}
ENDS: dict[int, str] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `scenarios`."""
    parser.add_argument("--bugs", action="store_true", help="list the known bugs, and which scenario shows each")
    parser.add_argument("--json", type=Output, metavar="FILE", help="write the list; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Print the list."""
    if args.bugs:
        bugs(args.json)
        return 0
    for name, scenario in SCENARIOS.items():
        print(f"{name}: {scenario.title}  ({', '.join(scenario.bugs)})")
        for bug in scenario.bugs:
            if bug in entries():
                print(f"    {bug}: {entries()[bug].title}")
        rows = [
            ("   ", variant, f"must fail: {of.fails}" if of.fails else "must not fail")
            for variant, of in scenario.variants.items()
        ]
        print(f"{table(rows)}\n")
    print("explore one with: python -m collector.run explore NAME --variant VARIANT")
    if args.json:
        summary = {
            name: {
                "title": scenario.title,
                "bugs": scenario.bugs,
                "variants": {variant: of.fails for variant, of in scenario.variants.items()},
            }
            for name, scenario in SCENARIOS.items()
        }
        args.json.writejson({"scenarios": summary})
    return 0


def bugs(json: Output | None) -> None:
    """Print the catalogue's bugs."""
    known = [entry for entry in entries().values() if isinstance(entry, Bug)]
    rows = [(bug.id, bug.kind, bug.title, ", ".join(showing(bug.id))) for bug in known]
    print(table(rows, ("id", "kind", "what", "scenario")))
    print("\nprint one with: python -m collector.run explain ID")
    if json:
        summary = {bug.id: {"kind": bug.kind, "title": bug.title, "scenarios": showing(bug.id)} for bug in known}
        json.writejson({"bugs": summary})
