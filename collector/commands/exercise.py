"""Find the bug: exercises for students, with hints and a solution; the explorer judges an attempt.

The code is written to a file, NAME.py in this folder unless said.  Run the same command again to have it judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands.files import Output
from collector.commands.parser import completes, oneof
from collector.commands.programfile import module
from collector.commands.status import OK, VIOLATION, WEAKER
from collector.commands.usage import UsageError, atleast
from collector.exercises import EXERCISES
from collector.explore import explore
from collector.explore.claim import Kind
from collector.explore.trace.trace import trace
from collector.report.progress import Progress
from collector.report.tables import flowed, linewidth, table


if TYPE_CHECKING:
    import argparse

    from collector.exercises.exercise import Exercise
    from collector.explore import Failure

EXAMPLES = {
    "exercise": "which there are",
    "exercise cache": "write the code to cache.py; again: judge it",
    "exercise cache --hint 1": "a first hint",
    "exercise cache --solution": "the code without the bug, and what was wrong",
}
ENDS = {
    OK: "it is solved, which is proved; or something was printed",
    VIOLATION: "a schedule fails, which is printed",
    WEAKER: "nothing failed, and nothing is proved",
}
SECONDS = 60.0
"""For each program of an attempt."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `exercise`."""
    add = parser.add_argument
    names = tuple(EXERCISES)
    what = f"{', '.join(names)}; none: list them"
    completes(add("name", nargs="?", type=oneof(names), choices=names, metavar="NAME", help=what), lambda _: names)
    add("--file", metavar="FILE", help="the code (NAME.py)")
    add("--hint", type=atleast(1), metavar="N", help="print the first N hints")
    add("--solution", action="store_true", help="print the solution")
    add("--html", type=Output, metavar="FILE", help="write a page to step through the schedule that fails")


def main(args: argparse.Namespace) -> int:
    """Print, write or judge; returns the exit status."""
    if args.name is None:
        print(table([(name, each.asks.partition(".  ")[0]) for name, each in EXERCISES.items()]))
        print("\nbegin with: python -m collector.run exercise NAME")
        return OK
    exercise = EXERCISES[args.name]
    if args.hint:
        for number, hint in enumerate(exercise.hints[: args.hint], 1):
            print(flowed(f"{number}. {hint}"))
        return OK
    if args.solution:
        print(f"{flowed(exercise.why)}\n\n{exercise.solved}", end="")
        return OK
    file = Path(args.file or f"{exercise.name}.py")
    if not file.exists():
        return begin(exercise, file)
    return judge(exercise, file, args.html)


def begin(exercise: Exercise, file: Path) -> int:
    """Write the code with the bug."""
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(exercise.start)
    except OSError as error:
        raise UsageError(f"{file}: cannot write: {error.strerror}") from None
    print(flowed(exercise.asks))
    print(f"\nThe code is in {file}.  Run the same command again to have it judged; --hint 1 helps, --hint 2 more.")
    return OK


def judge(exercise: Exercise, file: Path, html: Output | None) -> int:
    """Explore every program of the attempt, the smallest first, up to one that fails; returns the exit status."""
    attempt = module(str(file))
    if not hasattr(attempt, exercise.wanted):
        raise UsageError(f"{file} has no class {exercise.wanted}: the exercise is about that one")
    status = OK
    for what, of in exercise.programs.items():
        with Progress(f"{exercise.name}: {what}", seconds=SECONDS):
            result = explore(of(attempt), schedules=1 << 30, seconds=SECONDS)
        if result.failure:
            return failed(exercise, what, result.failure, html)
        if result.claim.kind is Kind.REFUSED:
            raise UsageError(str(result.claim))
        print(flowed(f"{what}: {result.claim}"))
        if result.claim.kind is not Kind.PROVED:
            status = WEAKER
    print(f"solved: {exercise.name}" if status == OK else "nothing failed, and not all of it is proved")
    return status


def failed(exercise: Exercise, what: str, failure: Failure, html: Output | None) -> int:
    """Print the schedule that fails, and write its page."""
    print(f"{what}:\n\n{trace(failure.record, linewidth()) if failure.record else failure.trace}\n")
    if html and failure.record:
        from collector.report.page import page  # noqa: PLC0415  slow
        from collector.report.schedule.steps import steps  # noqa: PLC0415

        records = steps(failure.record, exercise.asks, exercise.name, what, failure.schedule)
        html.writetext(page("steps.html", records, title=f"{exercise.name}: {what}"))
        print(f"open {html} in a browser to step through it")
    print(flowed(f"not yet: {failure}"))
    return VIOLATION
