"""Runs the search that `explore` is asked for, in this process unless it is to be shared or kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collector.campaign.part import Question
from collector.commands.usage import UsageError
from collector.commands.variants import about, variant
from collector.explore.machine.fault import Refused


if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import Any

    from collector.explore import Result
    from collector.explore.program import Program
    from collector.explore.strategies.portfolio import Portfolio
    from collector.report.progress import Progress
    from collector.stress.interrupts import Interrupts


def loaded(name: str, of: str) -> Program:
    """The program, in any process."""
    return variant(name, of)[1].program


def question(args: argparse.Namespace, preemptions: int | None) -> Question:
    """What the options ask."""
    _, chosen = variant(args.scenario, args.variant)
    return Question(
        partial(loaded, args.scenario, args.variant),
        args.strategy,
        args.schedules,
        args.seed,
        preemptions,
        args.depth,
        args.vehicle,
        chosen.races,
        plain_points=chosen.plain_points,
        early=chosen.early,
        about=about(args.scenario, args.variant),
    )


def asked(inputs: Mapping[str, Any]) -> Question:
    """What the inputs of a campaign's task ask; raises Refused."""
    program, of = inputs["program"], inputs["variant"]
    try:
        scenario, chosen = variant(program, of)
    except UsageError as error:
        raise Refused(str(error)) from None
    return Question(
        partial(loaded, program, of),
        inputs["strategy"],
        inputs["schedules"],
        inputs["seed"],
        inputs.get("preemptions", scenario.preemptions(inputs["strategy"])),
        inputs.get("depth"),
        races=chosen.races,
        plain_points=chosen.plain_points,
        early=chosen.early,
        about=about(program, of),
    )


def search(args: argparse.Namespace, preemptions: int | None, progress: Progress, interrupts: Interrupts) -> Result:
    """What the search shows, as far as it came; raises UsageError."""
    wanted = question(args, preemptions)

    def show(so_far: Result, by: Portfolio | None = None) -> None:
        progress.rate(so_far.schedules, so_far.seconds, by.name if by else wanted.strategy, so_far.outlook)

    def stop() -> bool:
        return interrupts.count > 0

    # Only for a terminal: counting the traces for the display costs time.
    shown = show if progress.bar else None
    if args.jobs == 1 and not args.checkpoint:
        return wanted.explore(wanted.load(), args.seconds, stop, shown)
    from collector.commands.sharedsearch import shared  # noqa: PLC0415  as slow to import as the explorer

    return shared(wanted, args, stop, shown)
