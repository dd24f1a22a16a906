"""Replay a schedule from its token, step by step: a column per thread, values, lists, buffer histories.

With --html it writes one self-contained page to step through the schedule, forwards and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from collector.commands.explore import concluded
from collector.commands.files import Input, Output
from collector.commands.programfile import named, set_ups
from collector.commands.status import OK, USAGE, VIOLATION
from collector.commands.stepdebugger import StepDebugger
from collector.commands.tokenfile import tokentext
from collector.commands.usage import UsageError, atleast, listening
from collector.commands.variants import variant
from collector.commands.version import code_version
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.explore.trace.trace import trace
from collector.report.page import page
from collector.report.schedule.alternatives import leads
from collector.report.schedule.ownership import histories
from collector.report.schedule.sentences import event
from collector.report.schedule.steps import steps
from collector.report.streams import oneline
from collector.report.tables import linewidth


if TYPE_CHECKING:
    import argparse

    from collector.explore.replay import Before
    from collector.explore.trace.step import Schedule
    from collector.scenarios.scenario import Scenario, Variant

EXAMPLES = {
    "explore aba --token aba.token": "makes a token",
    "replay aba.token": "print it step by step",
    "replay aba.token --html aba.html": "and write a page to step through it",
    "replay aba.token --pdb 5": "stop in front of step 5: where, up, p, memory NAME",
}
ENDS = {
    OK: "the schedule does not fail",
    VIOLATION: "it fails, as it did when it was found",
    USAGE: "bad usage, a token that does not fit this version, an output that cannot be written",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    add = parser.add_argument
    add("token", type=Input, metavar="TOKEN", help="a token, or a file that holds one")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what the machine runs its threads on")
    where = "stop in front of step N (0) in the thread that takes it, in pdb; `help` there lists the commands"
    add("--pdb", type=atleast(0), nargs="?", const=0, metavar="N", help=where)
    add("--json", type=Output, metavar="FILE", help="write the result; - is standard output")
    add("--html", type=Output, metavar="FILE", help="write a page to step through it")


@dataclass(frozen=True)
class Located:
    """The variant of a scenario that a token belongs to."""

    name: str
    of: str
    scenario: Scenario
    variant: Variant
    warnings: list[str]


def located(text: str) -> Located:
    """The variant of a scenario that a token belongs to; raises UsageError."""
    try:
        token = Token.decode(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    name, of = token.about.get("scenario"), token.about.get("variant")
    if not isinstance(name, str) or not isinstance(of, str):
        raise UsageError(f"the token names no scenario: {otherwise(token.about.get('test'))}")
    warnings = []
    made = token.about.get("version")
    if made != code_version():
        warnings.append(f"the token was made by version {made}, this is {code_version()}: steps may differ")
    return Located(name, of, *variant(name, of), warnings)


def otherwise(test: object) -> str:
    """What a token is for that is of no scenario but perhaps of a test."""
    if test is None:
        return "its program has to be given, collector.explore.replay(TOKEN, program) in Python"
    return f"it is a test's: python -m pytest {quote(str(test))} --race-replay TOKEN, with --race-html DIR for a page"


def replayed(
    text: str, found: Located, vehicle: str = "greenlets", *, sources: bool = True, before: Before | None = None
) -> Replay:
    """The schedule of a token, run again; raises UsageError."""
    try:
        with set_ups(named(found.name)):
            return Replay(Token.decode(text), found.variant.program, vehicle=vehicle, sources=sources, before=before)
    except ValueError as error:
        raise UsageError(str(error)) from None


def records(again: Replay, text: str, found: Located) -> dict[str, Any]:
    """The schedule, as JSON, with where it leads that another thread goes."""
    leading = leads(again, found.variant.program)
    return steps(again.schedule, found.scenario.title, found.name, found.of, text, leading)


def owners(schedule: Schedule) -> list[str]:
    """Who had which buffer: a line for each change, under the buffer's name."""
    lines = []
    for name, changes in histories(schedule).items():
        lines.append(f"{name}:")
        lines += [f"{step:4d}  {schedule.threads[thread]} {event(happening)}" for step, thread, happening in changes]
    return lines


def main(args: argparse.Namespace) -> int:
    """Replay and print; returns the exit status."""
    text = tokentext(args.token)
    found = located(text)
    title = f"{found.name} {found.of}".strip()
    if args.pdb is not None:
        listening("--pdb")
    debugger = None if args.pdb is None else StepDebugger(args.pdb)
    before = debugger.before if debugger else None
    again = replayed(text, found, args.vehicle, sources=bool(args.html or args.json), before=before)
    if debugger and not debugger.stopped:
        raise UsageError(
            f"--pdb {args.pdb}: the schedule has no such step; the last is {again.schedule.steps[-1].number}"
        )
    result = again.result
    warnings = [*found.warnings, *result.warnings]
    print(title)
    for warning in warnings:
        print(f"warning: {oneline(warning)}")
    failure = result.failure
    print(f"\n{trace(again.schedule, linewidth())}\n")
    owned = owners(again.schedule)
    if owned:
        print("who had which buffer, by step:", *owned, "", sep="\n")
    if args.html:
        args.html.writetext(page("steps.html", records(again, text, found), title=found.scenario.title))
        print(f"open {args.html} in a browser to step through it")
    if args.json:
        args.json.writejson(
            {
                "title": title,
                "steps": result.steps,
                "warnings": warnings,
                "owners": owned,
                "schedule": records(again, text, found),
                "failure": failure and {"kind": failure.kind, "message": failure.message, "trace": failure.trace},
            },
        )
    return concluded(result)
