"""Explore the interleavings of a scenario: find a schedule that fails, or show that there is none.

Exit status 1 and a shrunk schedule if one fails; 0 if none of those explored failed; 3 if the claim is weaker than
--require asks for; 2 if the scenario breaks a rule of the machine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from collector.commands.files import Output
from collector.commands.status import WEAKER, status
from collector.commands.usage import UsageError, atleast, positive
from collector.commands.version import code_version
from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.strategies import BOUNDED, NAMED
from collector.explore.trace.trace import trace
from collector.report.progress import Progress
from collector.report.tables import linewidth
from collector.scenarios.catalogue import SCENARIOS


if TYPE_CHECKING:
    import argparse

    from collector.explore import Result
    from collector.scenarios.scenario import Scenario, Variant

MOST = 10_000
"""Of preemptions and of PCT's depth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explore`."""
    add = parser.add_argument
    add("scenario", metavar="NAME", help="as `scenarios` lists them")
    add("--variant", default="failing", help="failing (default), fixed or another of the scenario's")
    add("--strategy", default="portfolio", choices=sorted(NAMED), metavar="S", help=", ".join(sorted(NAMED)))
    add("--schedules", type=atleast(1), default=100_000, metavar="N", help="at most N complete schedules (100000)")
    add("--seconds", type=positive, default=30.0, metavar="S", help="at most S seconds (30)")
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the strategies that draw at random (1)")
    add("--preemptions", type=atleast(0, MOST), default=None, metavar="N", help="bound of the exhaustive search")
    add("--depth", type=atleast(2, MOST), default=None, metavar="N", help="depth of PCT")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what the machine runs its threads on")
    add("--require", default="", choices=("proved", "bounded"), help="status 3 unless that much is shown")
    add("--token", type=Output, metavar="FILE", help="write the failing schedule's token")
    add("--json", type=Output, metavar="FILE", help="write the result")


def variant(name: str, of: str) -> tuple[Scenario, Variant]:
    """The variant of that name; raises UsageError."""
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UsageError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    if of not in scenario.variants:
        raise UsageError(f"scenario {name} has no variant {of!r}; there are {', '.join(scenario.variants)}")
    return scenario, scenario.variants[of]


def about(name: str, of: str) -> dict[str, object]:
    """What a token says of where it comes from."""
    return {"scenario": name, "variant": of, "version": code_version()}


def main(args: argparse.Namespace) -> int:
    """Explore, print, write; returns the exit status."""
    scenario, chosen = variant(args.scenario, args.variant)
    bounded = args.strategy in BOUNDED
    if args.preemptions is not None and not bounded:
        raise UsageError(f"--preemptions bounds {' and '.join(BOUNDED)}; --strategy {args.strategy} knows no bound")
    preemptions = scenario.limits.get("preemptions") if bounded and args.preemptions is None else args.preemptions
    with Progress(f"{args.scenario} {args.variant}", total=args.schedules) as progress:
        result = explore(
            chosen.program,
            args.strategy,
            schedules=args.schedules,
            seconds=args.seconds,
            seed=args.seed,
            preemptions=preemptions,
            depth=args.depth,
            vehicle=args.vehicle,
            races=chosen.races,
            about=about(args.scenario, args.variant),
            # Only for a terminal: counting the traces for the display costs time.
            progress=None
            if progress.bar is None
            else lambda so_far, strategy: progress.rate(
                so_far.schedules, so_far.seconds, strategy.name, so_far.outlook
            ),
        )
    print(f"{scenario.title}\n{result}")
    for warning in result.warnings:
        print(f"warning: {warning}")
    failure = result.failure
    if failure:
        before, after, runs = result.shrunk
        print(f"\n{trace(failure.record, linewidth()) if failure.record else failure.trace}\n")
        print(f"{failure.preemptions} preemptions; shrunk from {before} deviations to {after} in {runs} runs")
        print(f"replay it with: python -m collector.run replay {failure.schedule}")
        if args.token:
            args.token.writetext(f"{failure.schedule}\n")
    if args.json:
        args.json.writejson(summary(args, result))
    return concluded(result, args.require)


def concluded(result: Result, require: str = "") -> int:
    """Print the last line of all; returns the exit status."""
    claim = result.claim
    for note in result.notes:
        print(f"note: {note}")
    if claim.kind is Kind.REFUSED:
        raise UsageError(str(claim))
    print(f"failed: {result.failure}" if result.failure else f"ok: {claim}")
    ended = status(claim, require)
    if ended == WEAKER:
        print(f"--require {require}: this is {claim.kind}", file=sys.stderr)
    return ended


def summary(args: argparse.Namespace, result: Result) -> dict[str, object]:
    """The result for --json."""
    failure = result.failure
    return {
        "scenario": args.scenario,
        "variant": args.variant,
        "strategy": result.strategy,
        "schedules": result.schedules,
        "pruned": result.pruned,
        "exhausted": result.exhausted,
        "steps": result.steps,
        "states": result.states,
        "seconds": round(result.seconds, 3),
        "seed": result.seed,
        "claim": result.claim.record,
        "notes": result.notes,
        "statement": result.statement,
        "failure": failure and {"kind": failure.kind, "message": failure.message, "schedule": failure.schedule},
    }
