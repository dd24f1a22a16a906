"""List the scenarios: known bugs and planted faults, each with variants that fail and variants that do not.

With --bugs: the catalogue's known bugs instead, each with the scenarios that show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.commands.files import Output
from collector.report.tables import table
from collector.scenarios.contents import CONTENTS


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
    for name, scenario in CONTENTS.items():
        print(f"{name}: {scenario.title}  ({', '.join([scenario.kind, *scenario.bugs])})")
        for bug, title in scenario.bugs.items():
            if title:
                print(f"    {bug}: {title}")
        rows = [
            ("   ", variant, f"must fail: {fails}" if fails else "must not fail")
            for variant, fails in scenario.variants.items()
        ]
        print(f"{table(rows)}\n")
    print("explore one with: python -m collector.run explore NAME --variant VARIANT")
    if args.json:
        summary = {
            name: {
                "title": scenario.title,
                "kind": scenario.kind,
                "bugs": [*scenario.bugs],
                "variants": scenario.variants,
            }
            for name, scenario in CONTENTS.items()
        }
        args.json.writejson({"scenarios": summary})
    return 0


def bugs(json: Output | None) -> None:
    """Print the catalogue's bugs."""
    from collector.catalogue.entries import Bug, entries  # noqa: PLC0415  four files to read

    known = [entry for entry in entries().values() if isinstance(entry, Bug)]
    shown = {bug.id: [name for name, scenario in CONTENTS.items() if bug.id in scenario.bugs] for bug in known}
    rows = [(bug.id, bug.kind, bug.title, ", ".join(shown[bug.id])) for bug in known]
    print(table(rows, ("id", "kind", "what", "scenario")))
    print("\nprint one with: python -m collector.run explain ID")
    if json:
        summary = {bug.id: {"kind": bug.kind, "title": bug.title, "scenarios": shown[bug.id]} for bug in known}
        json.writejson({"bugs": summary})
