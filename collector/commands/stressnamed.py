"""`stress NAME`: scenarios of stress, each of which drives one mechanism and says by a number that it did."""

from __future__ import annotations

import sys
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from collector import heaps
from collector.commands.files import Input
from collector.commands.parser import PROGRAM, RUN, meant
from collector.commands.status import OK, VIOLATION, WEAKER
from collector.commands.usage import UsageError
from collector.faults import FAULTS
from collector.report.progress import Progress
from collector.report.tables import flowed, table
from collector.stress.interrupts import Interrupts
from collector.stress.mechanisms import MECHANISMS, MINIMUM, SMALL
from collector.stress.mixes import MIXES, TURN
from collector.stress.primitives.registry import PRIMITIVES
from collector.stress.primitives.rounds import Settings, run
from collector.stress.run import Stress, StressM
from workbuf.counted import counted
from workbuf.throw import Throw


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from collector.report.run.summary import Summary
    from collector.stress.mechanisms import Mechanism
    from collector.stress.primitives.rounds import Outcome, Primitive
    from collector.stress.run import Plan

    Execute = Callable[[Plan, "Driving | None"], int]
    """Runs a plan, and reports it; returns the exit status."""

NAMES = (*PRIMITIVES, *MECHANISMS)
DECIDED = {
    **dict.fromkeys(("heap", "mutators", "programs", "period"), None),
    "cycles": 0,
    "helpers": 2,
    "workbuf": 256,
    "gogc": "100",
    "ncpu": 0,
    "gomaxprocs": 0,
    "all": False,
    "repeat": 1,
}
"""Options that a scenario decides itself, and what they are where nobody has given them."""
OVER_A_HEAP = ("plant", "log", "trace", "html", "gctrace", "checkmark", "dawdle")
"""Options that a primitive has no use for."""
SECONDS = 5.0
"""Of a scenario, unless said."""
DEFAULT_S = 2.0
"""Seconds of the default run that a number is compared with."""
LEAST_S = 2.0
"""Seconds of a turn of `--all` at least."""
AROUND_S = 0.7
"""Seconds that setting a run up and ending it takes beside."""


class Driving(NamedTuple):
    """A mechanism that is to be driven, and what the default run's number was."""

    mechanism: Mechanism
    default: float

    def said(self, summary: Summary, run: Stress) -> Summary:
        """The summary with what was driven."""
        number = self.mechanism.number(run)
        return replace(
            summary,
            scenario=self.mechanism.name,
            driven_unit=self.mechanism.unit,
            driven_number=round(number, 3),
            driven_default=round(self.default, 3),
            driven=self.mechanism.driven(number, self.default),
        )


def listed() -> dict[str, str]:
    """Every scenario, and what it drives."""
    return {name: (PRIMITIVES.get(name) or MECHANISMS[name]).what for name in NAMES}


def fill(args: argparse.Namespace) -> None:
    """Give the options of a scenario their values.

    Raises UsageError for a name that there is not, and for an option that the scenario decides itself.
    """
    name = args.scenario
    if name not in NAMES:
        raise UsageError(f"no stress scenario {name!r}{meant(name, NAMES)}; there are {', '.join(NAMES)}")
    given = [f"--{option}" for option, value in DECIDED.items() if getattr(args, option) != value]
    if given:
        raise UsageError(f"{name}: the scenario says what runs over which heap; leave out {', '.join(given)}")
    of_heaps = [f"--{option}" for option in OVER_A_HEAP if getattr(args, option)] if name in PRIMITIVES else []
    if of_heaps:
        raise UsageError(f"{name} runs without a heap and its collector; leave out {', '.join(of_heaps)}")
    args.seconds = args.seconds or SECONDS


def default(plan: Plan, seconds: float = DEFAULT_S) -> Stress:
    """The default run, over the small heap, to its end; raises what fails in it."""
    config = replace(plan.config, heapminimum=MINIMUM)
    with Progress("the default run, to compare with") as progress:
        compared = Stress(replace(plan, config=config, seconds=seconds), heaps.read(SMALL))
        compared.run(ticked=lambda: progress.tick(f"cycle {len(compared.reports) + 1}"))
    return compared


def mechanism(args: argparse.Namespace, plan: Plan, name: str, compared: Stress, execute: Execute) -> int:
    """Drive one mechanism over a heap; returns the exit status."""
    chosen = MECHANISMS[name]
    args.heap = Input(chosen.heap)
    print(f"{name}: {chosen.what}", flush=True)
    return execute(chosen.planned(plan), Driving(chosen, chosen.number(compared)))


def concluded(summary: Summary) -> int:
    """Say on stderr if the mechanism was not driven; returns the exit status."""
    if summary.driven or not summary.scenario:
        return OK
    print(
        f"{PROGRAM} stress: {summary.scenario} was not driven: {summary.driven_number:g} {summary.driven_unit},"
        f" {summary.driven_default:g} in the default run; no violation",
        file=sys.stderr,
    )
    return WEAKER


def one(args: argparse.Namespace, plan: Plan, execute: Execute, facts: dict[str, Any]) -> int:
    """The scenario that the command names; returns the exit status."""
    if args.scenario in PRIMITIVES:
        return primitive(args, plan, args.scenario, facts)
    try:
        compared = default(plan)
    except Throw as error:
        print(f"{error}\nseed {plan.seed}; run it again with: {facts['command']}", file=sys.stderr)
        print("failed: the default run, before the scenario's")
        return VIOLATION
    return mechanism(args, plan, args.scenario, compared, execute)


def primitive(args: argparse.Namespace, plan: Plan, name: str, facts: dict[str, Any]) -> int:
    """Drive a primitive alone; returns the exit status."""
    chosen = PRIMITIVES[name]
    settings = Settings(plan.seed, plan.binding, plan.jitter, args.count_bits)
    print(f"{name}: {chosen.what}", flush=True)
    with Progress(name) as progress, Interrupts() as interrupts:

        def ticked() -> None:
            progress.tick("")
            interrupts.check()

        outcome = run(chosen, settings, plan.seconds, plan.patience, ticked)
    number = chosen.number(outcome.counts)
    error = outcome.failure
    interrupted = isinstance(error, KeyboardInterrupt)
    failed = isinstance(error, Throw)
    driven = number >= chosen.least
    rows = [("rounds", f"{outcome.rounds} in {outcome.seconds:.1f} s")]
    if outcome.counts or not failed:  # a round that fails is not counted
        rows += [(count, f"{outcome.counts[count]}") for count in chosen.counts]
        rows.append(("driven", f"{number:.3g} {chosen.unit}"))
    print(table(rows))
    if args.json:
        figures = {"rounds": outcome.rounds, "seconds": round(outcome.seconds, 3), **outcome.counts}
        verdict = {"violations": int(failed), "failure": str(error) if failed else "", "interrupted": interrupted}
        said = {"scenario": name, "driven_unit": chosen.unit, "driven_number": round(number, 3), "driven": driven}
        args.json.writejson({**said, **figures, **verdict, **facts, "count_bits": args.count_bits})
    if error is not None and not isinstance(error, Throw):
        raise error
    return ended(name, outcome, chosen, facts, driven=driven)


def ended(name: str, outcome: Outcome, chosen: Primitive, facts: dict[str, Any], *, driven: bool) -> int:
    """Print the verdict on a primitive; returns the exit status."""
    if outcome.failure is not None:
        print(f"\n{outcome.failure}\nseed {facts['seed']}; run it again with: {facts['command']}", file=sys.stderr)
        kind = getattr(outcome.failure, "kind", "")
        if kind in chosen.explored:
            print(f"find such a schedule, step by step: {RUN} explore {chosen.explored[kind]}")
        print(f"failed: {name}: {str(outcome.failure).splitlines()[-1]}")
        return VIOLATION
    print(f"ok: {name}, {counted(outcome.rounds, 'round')}, violations 0, seed {facts['seed']}")
    if driven:
        return OK
    number = chosen.number(outcome.counts)
    print(
        f"{PROGRAM} stress: {name} was not driven: {number:.3g} {chosen.unit}, of {chosen.least:g} at least; no violation",
        file=sys.stderr,
    )
    return WEAKER


class Turn(NamedTuple):
    """One run of `--all`: a mix of programs, or a scenario."""

    mix: str = ""
    name: str = ""


def turns(*, mixes: bool) -> Iterator[Turn]:
    """Each mix and each scenario, and then the mixes again; or nothing but `mixes`."""
    yield from (Turn(mix=mix) for mix in MIXES)
    yield from (Turn(name=name) for name in NAMES if not mixes)
    while True:
        yield from (Turn(mix=mix) for mix in MIXES)


def everything(
    args: argparse.Namespace,
    plan: Plan,
    mix: Callable[[Plan, str, int], Plan],
    execute: Execute,
    facts: Callable[[Plan], dict[str, Any]],
) -> int:
    """Turn after turn until the seconds are over, each mix and each scenario if they suffice; a violation ends it.

    A planted fault is in the mixes alone.  Returns 3 if there was no violation and a mechanism was not driven.
    """
    left, status, compared = args.seconds, OK, None
    heap, many = args.heap, len(MIXES) + len(NAMES) + 1
    for number, (programs, name) in enumerate(turns(mixes=bool(args.plant))):
        began = monotonic()
        share = TURN if args.plant else min(max(left / max(many - number, 1), LEAST_S), TURN)
        now = replace(plan, seed=plan.seed + number, seconds=min(share if args.plant else share - AROUND_S, left))
        args.heap = heap
        if programs:
            done = execute(mix(now, programs, number), None)
        elif name in PRIMITIVES:
            done = primitive(args, now, name, facts(now))
        else:
            compared = compared or default(now)
            done = mechanism(args, now, name, compared, execute)
        status = done or status
        left -= max(monotonic() - began, share)
        if done == VIOLATION or left <= 0:
            break
    return status


def planted(args: argparse.Namespace, driving: Driving | None) -> type[StressM]:
    """The class of a run's Ms: with the planted fault, and with what the scenario changes."""
    m = FAULTS[args.plant].planted(StressM) if args.plant else StressM
    return driving.mechanism.m(m) if driving else m


def printed() -> str:
    """The list, as text."""
    return flowed("\n".join(f"{name:14} {what}" for name, what in listed().items()))
