"""Replay a schedule from its token, step by step: a column per thread, values, lists, buffer histories.

With --html it writes one self-contained page to step through the schedule, forwards and back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from collector.commands.explore import concluded, variant
from collector.commands.files import Input, Output
from collector.commands.programfile import named, set_ups
from collector.commands.status import OK, USAGE, VIOLATION
from collector.commands.usage import UsageError
from collector.commands.version import code_version
from collector.explore.replay import Replay
from collector.explore.token import FORMAT, Token
from collector.explore.trace.trace import trace
from collector.report.page import page
from collector.report.schedule.ownership import histories
from collector.report.schedule.sentences import event
from collector.report.schedule.steps import steps
from collector.report.streams import oneline
from collector.report.tables import linewidth


if TYPE_CHECKING:
    import argparse

    from collector.explore.trace.step import Schedule
    from collector.scenarios.scenario import Scenario, Variant

EXAMPLES = {
    "explore aba --token aba.token": "makes a token",
    "replay aba.token": "print it step by step",
    "replay aba.token --html aba.html": "and write a page to step through it",
}
ENDS = {
    OK: "the schedule does not fail",
    VIOLATION: "it fails, as it did when it was found",
    USAGE: "bad usage, a token that does not fit this version, an output that cannot be written",
}
LONGEST = 1 << 20
"""Bytes that are read of a token's file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    add = parser.add_argument
    add("token", type=Input, metavar="TOKEN", help="a token, or a file that holds one")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what the machine runs its threads on")
    add("--json", type=Output, metavar="FILE", help="write the result; - is standard output")
    add("--html", type=Output, metavar="FILE", help="write a page to step through it")


def tokentext(word: str) -> str:
    """The token that `word` is, or that the file of that name holds; raises UsageError."""
    path = Path(word)
    if re.match(r"s\d\.", word):
        return word
    try:
        if not path.exists():
            raise UsageError(
                f"{word[:80]!r}: no such file, and no token: a token of this version begins with 's{FORMAT}.'"
            )
        with path.open("rb") as file:
            text = file.read(LONGEST)
        return text.decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"token file {word}: cannot read: {error}") from None


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


def replayed(text: str, found: Located, vehicle: str = "greenlets", *, sources: bool = True) -> Replay:
    """The schedule of a token, run again; raises UsageError."""
    try:
        with set_ups(named(found.name)):
            return Replay(Token.decode(text), found.variant.program, vehicle=vehicle, sources=sources)
    except ValueError as error:
        raise UsageError(str(error)) from None


def records(again: Replay, text: str, found: Located) -> dict[str, Any]:
    """The schedule, as JSON."""
    return steps(again.schedule, found.scenario.title, found.name, found.of, text)


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
    again = replayed(text, found, args.vehicle, sources=bool(args.html or args.json))
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
