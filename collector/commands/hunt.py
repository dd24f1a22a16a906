"""Find a schedule for a failure on real threads: from a failed run's log to a token that fails in the same way.

The log says how the run failed, in which phase, who took part, and in which order buffers changed hands.  From that a
small world is made, a whole collection or a few while two of the run's programs go a few rounds, with the mechanisms that
the log shows (helpers, handoffs, assists, system calls, memory used again) and the same planted fault if there was one.
Its schedules are searched, and then its neighbours', by several strategies in turn; the first follows the log's order.
The schedule found is shrunk, printed, and can be replayed.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from collector.commands.files import Input, Output
from collector.commands.status import OK, VIOLATION, WEAKER
from collector.commands.usage import UsageError, atleast, positive
from collector.report.tables import flowed
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse

    from collector.hunt.search import Hunt

EXAMPLES = {
    "stress --plant harvest-nothing --heap synthetic:random,n=300 --cycles 9 --log run.log": "a run that fails: status 1",
    "hunt run.log": "prints its schedule, on the stepped machine: status 1",
    "hunt run.log --seconds 300 --token run.token": "looks for longer; `replay run.token` steps through it",
}
ENDS = {
    OK: "of --help alone: a hunt finds a schedule, or does not",
    VIOLATION: "a schedule that fails in the same way was found",
    WEAKER: "none was found in the time there was",
}
SECONDS = 60.0
DONE = "the run did not fail: there is nothing to hunt"
CUT_SHORT = "the run was interrupted and had not failed before: there is nothing to hunt"
UNENDED = (
    "the log has neither a failure nor an end: the run still goes on, or was killed (by hand, by a time limit, for want of"
    " memory), or took the interpreter down with it; nothing says how it failed, so nothing can be hunted for; if it hung,"
    " run it again with a shorter --patience, which tells a hang; `inspect LOG check` judges what there is"
)
"""What to say of a log that names no failure."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hunt`."""
    add = parser.add_argument
    add("log", type=Input, metavar="LOG", help="the log of a run that failed, of `stress --log`")
    add(
        "--seconds",
        type=positive,
        default=SECONDS,
        metavar="S",
        help=f"search for S seconds at most ({SECONDS:g}); then what was found is shrunk",
    )
    add("--seed", type=atleast(0), default=1, metavar="N", help="seed of the strategies (1)")
    add("--token", type=Output, metavar="FILE", help="write the token of the schedule found")
    add("--json", type=Output, metavar="FILE", help="write what was tried and found; - is standard output")


def main(args: argparse.Namespace) -> int:
    """Read, search, tell; returns the exit status."""
    from collector.commands.version import code_version  # noqa: PLC0415  not for the help
    from collector.faults import FAULTS  # noqa: PLC0415
    from collector.hunt.facts import facts  # noqa: PLC0415
    from collector.hunt.search import hunt  # noqa: PLC0415
    from collector.report.log.lines import LogfileError  # noqa: PLC0415
    from collector.report.log.recorded import Recorded  # noqa: PLC0415
    from collector.report.progress import Progress  # noqa: PLC0415

    try:
        log = Recorded(args.log)
    except LogfileError as error:
        raise UsageError(str(error)) from None
    if log.interrupted:
        raise UsageError(f"{args.log}: {CUT_SHORT}")
    if not log.failure:
        raise UsageError(f"{args.log}: {DONE if log.ended else UNENDED}")
    known = facts(log)
    if known.fault and known.fault not in FAULTS:
        raise UsageError(f"{args.log}: the run had a planted fault {known.fault[:80]!r}, which this version has not")
    print(flowed(f"{args.log}: {known}"))
    with Progress("hunting", 0, args.seconds) as progress:
        found = hunt(known, args.seconds, args.seed, {"version": code_version()}, progress.tick)
    print(told(found))
    failure = found.result.failure if found.result else None
    if args.token and failure:
        args.token.writetext(f"{failure.schedule}\n")
    if args.json:
        args.json.writejson({
            "failure": known.text,
            "world": found.world,
            "schedule": failure.schedule if failure else "",
            "steps": failure.steps if failure else 0,
            "tried": [vars(one) for one in found.tried],
        })  # fmt: skip
    if failure:
        print(flowed(f"found: {failure}"))
        return VIOLATION
    print("not found: no schedule of these worlds fails in the same way, of those that were run")
    return WEAKER


def told(found: Hunt) -> str:
    """What was tried, and the schedule."""
    from collector.explore.trace.trace import trace  # noqa: PLC0415  not for the help
    from collector.report.tables import linewidth, table  # noqa: PLC0415

    rows = [
        (one.world, one.strategy, str(one.schedules), f"{one.seconds:.1f}", one.came.partition("\n")[0])
        for one in found.tried
    ]
    lines = [table(rows, ("world", "strategy", "schedules", "seconds", "came of it"))]
    name, result = (found.world, found.result) if found.result else (found.other or ("", None))
    failure = result.failure if result else None
    if failure and result:
        if not found.result:
            lines.append(f"\nof another kind, in {name}:")
        before, after, _ = result.shrunk
        lines += [
            f"\n{trace(failure.record, linewidth())}\n",
            f"{counted(failure.record.steps[-1].number + 1, 'step')}; shrunk from {counted(before, 'deviation')} to {after}",
            f"replay it with: python -m collector.run replay {failure.schedule}",
            f"in sentences: python -m collector.run explain {failure.schedule}",
            f"as a page: python -m collector.run replay {failure.schedule} --html schedule.html",
            f"yourself: python -m collector.run explore {quote(name)} --interactive, and there: follow {failure.schedule}",
        ]
    return "\n".join(lines)
