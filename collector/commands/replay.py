"""Run one schedule again from its token, step by step, and show it: columns per M, values, lists, histories.

With --html: one page to step through it, forwards and back, that needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.commands.explore import variant
from collector.commands.usage import UsageError, checkwritable, writejson, writetext
from collector.commands.version import code_version
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report.page import page
from collector.report.schedule.ownership import ownership
from collector.report.schedule.steps import steps


if TYPE_CHECKING:
    import argparse

    from collector.scenarios.scenario import Scenario, Variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    add = parser.add_argument
    add("token", metavar="TOKEN", help="a token, or a file that holds one")
    add("--vehicle", default="greenlets", choices=("greenlets", "threads"), help="what runs an M")
    add("--json", metavar="FILE", help="write the result")
    add("--html", metavar="FILE", help="write a page to step through it")


def tokentext(word: str) -> str:
    """The token that `word` is, or that the file of that name holds."""
    path = Path(word)
    try:
        if not path.is_file():
            return word
    except OSError:  # a token may be longer than a file's name can be
        return word
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"token file {word}: cannot read: {error}") from None


@dataclass(frozen=True)
class Located:
    """What a token is of."""

    name: str
    of: str
    scenario: Scenario
    variant: Variant
    warnings: list[str]


def located(text: str) -> Located:
    """Which scenario's variant a token is of; raises UsageError."""
    try:
        token = Token.decode(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    name, of = token.about.get("scenario"), token.about.get("variant")
    if not isinstance(name, str) or not isinstance(of, str):
        raise UsageError("the token names no scenario: it is a test's, replay it with pytest --race-replay TOKEN")
    warnings = []
    made = token.about.get("version")
    if made != code_version():
        warnings.append(f"the token was made by version {made}, this is {code_version()}: steps may differ")
    return Located(name, of, *variant(name, of), warnings)


def records(text: str, found: Located) -> dict[str, Any]:
    """The schedule of a token, as records."""
    again = Replay(Token.decode(text), found.variant.program, sources=True)
    return steps(again, found.scenario.title, found.name, found.of, text)


def main(args: argparse.Namespace) -> int:
    """Replay and print; returns the exit status."""
    for option in ("json", "html"):
        checkwritable(f"--{option}", getattr(args, option))
    text = tokentext(args.token)
    found = located(text)
    title = f"{found.name} {found.of}"
    try:
        again = Replay(Token.decode(text), found.variant.program, vehicle=args.vehicle)
    except ValueError as error:
        raise UsageError(str(error)) from None
    result = again.result
    warnings = [*found.warnings, *result.warnings]
    print(title)
    for warning in warnings:
        print(f"warning: {warning}")
    failure = result.failure
    print(f"\n{again.trace}\n")
    owned = ownership(again)
    if owned:
        print("who had which buffer, by step:", *owned, "", sep="\n")
    print(f"{'failed: ' + str(failure) if failure else 'ok: ' + result.statement}")
    if args.html:
        writetext("--html", args.html, page("steps.html", records(text, found), title=found.scenario.title))
        print(f"open {args.html} in a browser to step through it")
    if args.json:
        writejson(
            args.json,
            {
                "title": title,
                "steps": result.steps,
                "warnings": warnings,
                "owners": owned,
                "failure": failure and {"kind": failure.kind, "message": failure.message, "trace": failure.trace},
            },
        )
    return int(failure is not None)
