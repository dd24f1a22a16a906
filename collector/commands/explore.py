"""Explore the interleavings of a scenario: find a schedule that fails, or say how much was covered.

Exit status 1 and a shrunk schedule if one fails; 0 if none of those explored failed; 3 if the claim is weaker than
--require asks for; 2 if the scenario breaks a rule of the machine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from collector.commands.files import Input, Output, check
from collector.commands.parser import LESS, PROGRAM, completes, meant, oneof
from collector.commands.programfile import named, program, set_ups
from collector.commands.status import OK, USAGE, VIOLATION, WEAKER, status
from collector.commands.usage import UsageError, atleast, positive
from collector.commands.version import code_version
from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.strategies import BOUNDED, NAMED
from collector.explore.trace.trace import trace
from collector.report.progress import Progress
from collector.report.tables import flowed, linewidth
from collector.scenarios.registry import SCENARIOS
from collector.scenarios.scenario import Scenario, Variant
from collector.stress.interrupts import Interrupts


if TYPE_CHECKING:
    import argparse

    from collector.explore import Result

EXAMPLES = {
    "explore aba": "find the schedule, shrink it, print it",
    "explore latedecrement --variant fixed --require proved": "show that there is none",
    "explore pless --strategy pct --depth 3 --seed 7": "",
    "explore FILE.py:program": "a program of your own: a function of the machine",
    "explore aba --token aba.token --json -": "keep the token; the result as JSON on stdout",
}
ENDS = {
    OK: "nothing that was explored failed; the last line says what that shows",
    VIOLATION: "a schedule fails; it is printed, shrunk",
    USAGE: "bad usage, an output that cannot be written, or a program that breaks a rule of the machine",
    **LESS,
}
FAILING = "failing"
"""The variant, unless said."""
MOST = 10_000
"""Largest value of --preemptions and --depth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explore`."""
    add = parser.add_argument
    what = "as `scenarios` lists them, or FILE.py:function, a program of your own"
    completes(add("scenario", metavar="NAME", help=what), lambda _: SCENARIOS)
    completes(
        add("--variant", default=FAILING, metavar="V", help="failing (default), fixed or another of the scenario's"),
        lambda args: SCENARIOS[args.scenario].variants if args.scenario in SCENARIOS else (),
    )
    names = sorted(NAMED)
    add("--strategy", default="portfolio", type=oneof(names), choices=names, metavar="S", help=", ".join(names))
    add("--schedules", type=atleast(1), default=100_000, metavar="N", help="at most N complete schedules (100000)")
    add("--seconds", type=positive, default=30.0, metavar="S", help="at most S seconds (30)")
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the strategies that draw at random (1)")
    add("--preemptions", type=atleast(0, MOST), default=None, metavar="N", help="bound of the exhaustive search")
    add("--depth", type=atleast(2, MOST), default=None, metavar="N", help="depth of PCT")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what the machine runs its threads on")
    add("--require", default="", choices=("proved", "bounded"), help="status 3 unless that much is shown")
    add("--token", type=Output, metavar="FILE", help="write the failing schedule's token")
    add("--json", type=Output, metavar="FILE", help="write the result; - is standard output")


def variant(name: str, of: str) -> tuple[Scenario, Variant]:
    """The variant of that name, or the program that `FILE.py:function` names; raises UsageError."""
    if own := named(name):
        if of not in {"", FAILING}:
            raise UsageError(f"--variant {of}: {name} is a program, not a scenario, and has none")
        chosen = Variant(program(own))
        return Scenario(name, (chosen.program.__doc__ or name).partition("\n")[0], (), {"": chosen}), chosen
    scenario = SCENARIOS.get(name)
    if scenario is None:
        near = meant(name, SCENARIOS)
        raise UsageError(f"no scenario {name!r}{near}; there are {', '.join(SCENARIOS)}; or FILE.py:function")
    if of not in scenario.variants:
        near = meant(of, scenario.variants)
        raise UsageError(f"scenario {name} has no variant {of!r}{near}; there are {', '.join(scenario.variants)}")
    return scenario, scenario.variants[of]


def about(name: str, of: str) -> dict[str, object]:
    """What a token stores about its origin: scenario, or program of a file, variant, version."""
    return {"scenario": name, "variant": "" if named(name) else of, "version": code_version()}


def main(args: argparse.Namespace) -> int:
    """Explore, print, write; returns the exit status."""
    if own := named(args.scenario):
        args.program = Input(own.file)
        check(args)  # no output may be that file
    scenario, chosen = variant(args.scenario, args.variant)
    bounded = args.strategy in BOUNDED
    if args.preemptions is not None and not bounded:
        raise UsageError(f"--preemptions bounds {' and '.join(BOUNDED)}; --strategy {args.strategy} knows no bound")
    preemptions = scenario.limits.get("preemptions") if bounded and args.preemptions is None else args.preemptions
    what = args.scenario if own else f"{args.scenario} {args.variant}"
    with Progress(what, args.schedules, args.seconds) as progress, Interrupts() as interrupts, set_ups(own):
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
            stop=lambda: interrupts.count > 0,
        )
    interrupted = interrupts.count > 0 and result.failure is None
    print(flowed(f"{scenario.title}\n{result}"))
    for warning in result.warnings:
        print(flowed(f"warning: {warning}"))
    failure = result.failure
    if failure:
        before, after, runs = result.shrunk
        print(f"\n{trace(failure.record, linewidth())}\n")
        times = f"{failure.preemptions} preemption{'' if failure.preemptions == 1 else 's'}"
        print(f"{times}; shrunk from {before} deviations to {after} (turns that are not the default's) in {runs} runs")
        print(f"replay it with: python -m collector.run replay {failure.schedule}")
        if args.token:
            args.token.writetext(f"{failure.schedule}\n")
    if args.json:
        args.json.writejson({**summary(args, result), "interrupted": interrupted})
    if interrupted:
        print(flowed(f"interrupted: {result.claim}"))
        raise KeyboardInterrupt
    return concluded(result, args.require)


def concluded(result: Result, require: str = "") -> int:
    """Print the verdict, which is the last line; returns the exit status."""
    claim = result.claim
    for note in result.notes:
        print(flowed(f"note: {note}"))
    if claim.kind is Kind.REFUSED:
        raise UsageError(str(claim))
    print(flowed(f"failed: {result.failure}" if result.failure else f"ok: {claim}"))
    ended = status(claim, require)
    if ended == WEAKER:
        print(f"{PROGRAM} explore: --require {require}: the claim is {claim.kind}", file=sys.stderr)
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
