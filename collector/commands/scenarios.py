"""List the scenarios: known bugs and planted faults, each with variants that fail and variants that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.commands.files import Output
from collector.report.tables import table
from collector.scenarios.catalogue import SCENARIOS


if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `scenarios`."""
    parser.add_argument("--json", type=Output, metavar="FILE", help="write the list")


def main(args: argparse.Namespace) -> int:
    """Print the list."""
    for name, scenario in SCENARIOS.items():
        print(f"{name}: {scenario.title}  ({', '.join(scenario.bugs)})")
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
