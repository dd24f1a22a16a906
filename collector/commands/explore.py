"""Explore the interleavings of a scenario: find a schedule that fails, or say how much was covered.

Exit status 1 and a shrunk schedule if one fails; 0 if none of those explored failed; 3 if the claim is weaker than
--require asks for; 2 if the scenario breaks a rule of the machine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from collector.commands.files import Input, Named, Output, check
from collector.commands.parser import LESS, PROGRAM, completes, oneof
from collector.commands.programfile import named, set_ups
from collector.commands.status import OK, USAGE, VIOLATION, WEAKER, status
from collector.commands.usage import UsageError, atleast, listening, positive
from collector.commands.variants import FAILING, about, variant
from collector.report.progress import Progress
from collector.report.tables import flowed, linewidth
from collector.scenarios.registry import SCENARIOS
from collector.stress.interrupts import Interrupts
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse

    from collector.explore import Result

EXAMPLES = {
    "explore aba": "find the schedule, shrink it, print it",
    "explore latedecrement --variant fixed --require proved": "show that there is none",
    "explore pless --strategy pct --depth 3 --seed 7": "",
    "explore FILE.py:program": "a program of your own: a function of the machine",
    "explore latedecrement --variant fixed3 --strategy dpor --seconds 3600 --jobs 8 --checkpoint proof.db": (
        "a long proof, by eight processes; the same command goes on after an interruption"
    ),
    "explore fault:parfor-late-done": "a planted fault that has a program (stress --plant list)",
    "explore aba --interactive": "choose yourself who goes next, step back, let a strategy go on",
    "explore aba --token aba.token --json -": "keep the token; the result as JSON on stdout",
}
ENDS = {
    OK: "nothing that was explored failed; the last line says what that shows",
    VIOLATION: "a schedule fails; it is printed, shrunk",
    USAGE: "bad usage, an output that cannot be written, or a program that breaks a rule of the machine",
    **LESS,
}
STRATEGIES = ("dfs", "dpor", "exhaustive", "pct", "portfolio", "pos", "random", "stateful", "surw", "urw")
"""Names of the strategies; written out, for the help without the explorer (a test compares)."""
SEARCHING: dict[str, Any] = {
    "strategy": "portfolio", "schedules": 100_000, "seconds": 30.0, "seed": 1, "preemptions": None, "depth": None,
    "vehicle": "greenlets", "jobs": 1, "checkpoint": None, "require": "", "json": None,
}  # fmt: skip
"""Options that are for searches, and what they are where nobody has given them."""
MOST = 10_000
"""Largest value of --preemptions and --depth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `explore`."""
    add = parser.add_argument
    what = "as `scenarios` lists them; FILE.py:function, a program of your own; or fault:NAME, a planted fault"
    completes(add("scenario", metavar="NAME", help=what), lambda _: SCENARIOS)
    completes(
        add("--variant", default=FAILING, metavar="V", help="failing (default), fixed or another of the scenario's"),
        lambda args: SCENARIOS[args.scenario].variants if args.scenario in SCENARIOS else (),
    )
    names = ", ".join(STRATEGIES)
    add(
        "--strategy", default=SEARCHING["strategy"], type=oneof(STRATEGIES), choices=STRATEGIES, metavar="S", help=names
    )
    add(
        "--schedules",
        type=atleast(1),
        default=SEARCHING["schedules"],
        metavar="N",
        help="at most N complete schedules (100000)",
    )
    add("--seconds", type=positive, default=SEARCHING["seconds"], metavar="S", help="at most S seconds (30)")
    add(
        "--seed",
        type=atleast(0),
        default=SEARCHING["seed"],
        metavar="N",
        help="seed of the strategies that draw at random (1)",
    )
    add(
        "--preemptions",
        type=atleast(0, MOST),
        default=None,
        metavar="N",
        help="bound of the exhaustive search, or of dpor",
    )
    add("--depth", type=atleast(2, MOST), default=None, metavar="N", help="depth of PCT")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what the machine runs its threads on")
    jobs = "processes that share the search; they are begun after two seconds (1)"
    add("--jobs", type=atleast(1, MOST), default=1, metavar="N", help=jobs)
    checkpoint = "write there how far the search has come, and go on from there if it was begun before"
    add("--checkpoint", type=Named, metavar="FILE", help=checkpoint)
    add("--require", default="", choices=("proved", "bounded"), help="status 3 unless that much is shown")
    add("--interactive", action="store_true", help="choose step by step who goes next; `help` there lists the commands")
    add("--token", type=Output, metavar="FILE", help="write the failing schedule's token")
    add("--json", type=Output, metavar="FILE", help="write the result; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Explore, print, write; returns the exit status."""
    from collector.commands.search import search  # noqa: PLC0415  not for the help
    from collector.explore.strategies import BOUNDED, DEEP  # noqa: PLC0415
    from collector.explore.trace.trace import trace  # noqa: PLC0415

    if own := named(args.scenario):
        args.program = Input(own.file)
        check(args)  # no output may be that file
    scenario, _ = variant(args.scenario, args.variant)
    if args.interactive:
        return interactive(args)
    if args.preemptions is not None and args.strategy not in BOUNDED:
        raise UsageError(f"--preemptions bounds {', '.join(BOUNDED)}; --strategy {args.strategy} knows no bound")
    if args.depth is not None and args.strategy not in DEEP:
        raise UsageError(f"--depth is for {' and '.join(DEEP)}; --strategy {args.strategy} knows no depth")
    preemptions = scenario.preemptions(args.strategy) if args.preemptions is None else args.preemptions
    what = args.scenario if own else f"{args.scenario} {args.variant}"
    with Progress(what, args.schedules, args.seconds) as progress, Interrupts() as interrupts, set_ups(own):
        result = search(args, preemptions, progress, interrupts)
    interrupted = interrupts.count > 0 and result.failure is None
    print(flowed(f"{scenario.title}\n{result}"))
    for warning in result.warnings:
        print(flowed(f"warning: {warning}"))
    failure = result.failure
    if failure:
        before, after, runs = result.shrunk
        print(f"\n{trace(failure.record, linewidth())}\n")
        times, deviations = counted(failure.preemptions, "preemption"), counted(before, "deviation")
        print(
            f"{times}; shrunk from {deviations} to {after} (turns that are not the default's) in {counted(runs, 'run')}"
        )
        print(f"replay it with: python -m collector.run replay {failure.schedule}")
        if args.token:
            args.token.writetext(f"{failure.schedule}\n")
    if args.json:
        args.json.writejson({**summary(args, result), "interrupted": interrupted})
    if interrupted:
        print(flowed(f"interrupted: {result.claim}"))
        raise KeyboardInterrupt
    return concluded(result, args.require)


def interactive(args: argparse.Namespace) -> int:
    """Have the user choose; the exit status says how the schedule ended that they left."""
    from collector.commands.interactive import Interactive  # noqa: PLC0415  not for the help
    from collector.explore.machine.fault import Refused  # noqa: PLC0415
    from collector.explore.token import Token  # noqa: PLC0415

    given = [f"--{option}" for option, usual in SEARCHING.items() if getattr(args, option) != usual]
    if given:
        raise UsageError(
            f"--interactive: {', '.join(given)}: for searches; --token FILE keeps what was chosen, "
            "and `let` has a strategy go on"
        )
    listening("--interactive")
    scenario, chosen = variant(args.scenario, args.variant)
    rules = Token(
        plain_points=chosen.plain_points, races=chosen.races is True, about=about(args.scenario, args.variant)
    )
    print(flowed(f"{scenario.title}\nChoose who goes next: a name or a number; help lists the commands."))
    with set_ups(named(args.scenario)):
        try:
            talk = Interactive(chosen.program, rules)
        except Refused as refused:
            raise UsageError(str(refused)) from None
        ended = talk.run()
        if args.token:
            args.token.writetext(f"{talk.made}\n")
    return VIOLATION if ended.schedule.fault else OK


def concluded(result: Result, require: str = "") -> int:
    """Print where it fails and the verdict, which is the last line; returns the exit status."""
    claim = result.claim
    for note in result.notes:
        print(flowed(f"note: {note}"))
    if claim.kind == "refused":
        raise UsageError(str(claim))
    if result.failure and result.failure.raised_at:
        from collector.report.schedule.steps import shortened  # noqa: PLC0415  not for the help

        file, line = result.failure.raised_at
        print(f"it fails at {shortened(file)}:{line}")
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
