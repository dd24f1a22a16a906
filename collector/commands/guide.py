"""Print a page of the guide: the protocol in ten minutes, testing your own lock-free code, reading the reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from collector.commands.parser import oneof
from collector.guide import TOPICS, page
from collector.report.streams import withcontrols
from collector.report.tables import table


if TYPE_CHECKING:
    import argparse

EXAMPLES = {"guide": "which pages there are", "guide protocol": "print one", "guide testing": ""}
ENDS: dict[int, str] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `guide`."""
    names = tuple(TOPICS)
    parser.add_argument(
        "topic",
        nargs="?",
        type=oneof(names),
        choices=names,
        metavar="TOPIC",
        help=f"{', '.join(names)}; none: list them",
    )


def main(args: argparse.Namespace) -> int:
    """Print the page, laid out if stdout is a terminal and as Markdown if not; or the list."""
    if args.topic is None:
        print(table(list(TOPICS.items())))
        print("\nread one with: python -m collector.run guide TOPIC")
    elif sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415  slow to import
        from rich.markdown import Markdown  # noqa: PLC0415

        Console(file=withcontrols()).print(Markdown(page(args.topic)))
    else:
        print(page(args.topic), end="")
    return 0
