"""Runs a search that several processes share, or that a checkpoint keeps."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from collector.campaign.checkpoint import Checkpoint, CheckpointError
from collector.campaign.split import Split
from collector.commands.programfile import named
from collector.commands.usage import UsageError
from workbuf.counted import counted


if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collector.campaign.part import Question
    from collector.explore import Result


def shared(
    wanted: Question,
    args: argparse.Namespace,
    stop: Callable[[], bool],
    shown: Callable[[Result], object] | None,
) -> Result:
    """What the search shows, as far as it came; raises UsageError."""
    try:
        split = Split(wanted, args.jobs, stop=stop)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not args.checkpoint:
        return split.run(args.seconds, shown)
    try:
        with closing(Checkpoint(args.checkpoint, origin(wanted, args.scenario))) as checkpoint:
            if checkpoint.restore(split):
                so_far = split.result
                print(
                    f"going on from {args.checkpoint}: {counted(so_far.schedules, 'schedule')}, {so_far.seconds:.0f} s"
                )
            split.saved = checkpoint.save
            result = split.run(args.seconds, shown)
            checkpoint.save(split, now=True)
            return result
    except CheckpointError as error:
        raise UsageError(f"--checkpoint {error}") from None


def origin(wanted: Question, scenario: str) -> dict[str, object]:
    """What a checkpoint is of: all that decides which schedules are run."""
    own = named(scenario)
    digest = sha256(Path(own.file).read_bytes()).hexdigest() if own else ""
    names = ("strategy", "seed", "preemptions", "depth", "vehicle", "races")
    return {**wanted.about, "file": digest, **{name: getattr(wanted, name) for name in names}}
