"""Measure every scenario: schedules to the first failure by strategy, the fixed variant, what is counted.

Exit status 1 if one does not come out as it says: a failing variant that is not found or fails otherwise, a fixed one that
fails, a remedy that costs as much as the seed.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from collector.commands.files import Output
from collector.commands.parser import PROGRAM, RUN, oneof
from collector.commands.status import OK, VIOLATION
from collector.commands.usage import atleast, positive
from collector.report.museum import BRIEF, COSTS, brief, costs, page, record, unshown
from collector.report.progress import Progress
from collector.report.tables import table
from collector.scenarios.museum import Museum
from collector.scenarios.registry import SCENARIOS
from collector.scenarios.scenario import SOUND
from collector.stress.interrupts import Interrupts
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse

EXAMPLES = {
    "museum aba noreset --seconds 20": "a first look",
    "museum aba pless": "two exhibits",
    "museum --markdown collector/guide/museum.md": "the guide's page",
    "museum --json -": "as JSON on stdout",
}
ENDS = {OK: "every exhibit came out as it says", VIOLATION: "one did not; the last lines say which"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `museum`."""
    add = parser.add_argument
    add("names", nargs="*", type=oneof(SCENARIOS), metavar="NAME", help="exhibits, by default all")
    add(
        "--seconds",
        type=positive,
        default=900.0,
        metavar="S",
        help="for everything together, about (900); a search has 0.2 s in any case, so all take minutes",
    )
    add("--schedules", type=atleast(1), default=3000, metavar="N", help="at most N schedules a search (3000)")
    add("--seeds", type=atleast(1, 100), default=5, metavar="N", help="seeds of the strategies that draw (5)")
    add("--markdown", type=Output, metavar="FILE", help="write the tables as the guide's page; - is standard output")
    add("--json", type=Output, metavar="FILE", help="write ids, kinds, verdicts and figures; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Measure, print, write; returns the exit status."""
    begun = monotonic()
    names = list(dict.fromkeys(args.names or SCENARIOS))
    exhibits = []
    with Progress("museum", len(names)) as progress, Interrupts() as interrupts:
        museum = Museum(
            [SCENARIOS[name] for name in names],
            args.seconds,
            args.schedules,
            args.seeds,
            stop=lambda: interrupts.count > 0,
        )
        for exhibit in museum.exhibits():
            exhibits.append(exhibit)
            progress.advance()
    print(table([row for of in exhibits for row in brief(of)], BRIEF))
    if figures := [row for of in exhibits for row in costs(of)]:
        print(f"\n{table(figures, COSTS)}")
    if args.json:
        args.json.writejson({**record(exhibits, unshown()), "seconds": round(monotonic() - begun, 1)})
    if args.markdown:
        words = "".join(f" {name}" for name in args.names)
        command = f"{RUN} museum{words} --seconds {args.seconds:g} --schedules {args.schedules} --seeds {args.seeds}"
        args.markdown.writetext(page(exhibits, command, monotonic() - begun))
    wrong = [f"{of.scenario.name}: {what}" for of in exhibits for what in of.wrong]
    kinds = [of.scenario.kind for of in exhibits]
    told = ", ".join(many(kinds.count(kind), kind) for kind in dict.fromkeys(kinds))
    count = counted(len(exhibits), "exhibit")
    print(f"\n{count}{told and f' ({told})'} in {monotonic() - begun:.0f} s")
    if told:
        print(f"under a strategy: schedules to the first failure, a median over seeds; see {RUN} guide museum")
    if interrupts.count:
        print(f"{PROGRAM} museum: interrupted after {len(exhibits)} of {len(names)} exhibits")
        raise KeyboardInterrupt
    for what in wrong:
        print(f"failed: {what}")
    return VIOLATION if wrong else OK


def many(n: int, kind: str) -> str:
    """So many scenarios of a kind."""
    return f"{n} {kind}" if kind == SOUND else counted(n, kind)
