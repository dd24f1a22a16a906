"""Shrinks the failing schedule of a token: what `explore` does at once, done later and in another process."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.explore.default import Replayer
from collector.explore.machine.execution import LIMIT
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.program import new_machine, no_collection, run_and_check, set_up
from collector.explore.races.fasttrack import FastTrack
from collector.explore.replay import written
from collector.explore.shrink import SECONDS, Shrinker
from collector.explore.token import Token
from collector.explore.watchdog import Watchdog


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.program import Invariant, Program
    from collector.explore.result import Failure


def shrunk(token: str, program: Program, *, invariants: Sequence[Invariant] = (), seconds: float = SECONDS) -> Failure:
    """The failure of a smaller schedule that fails as the token's does; it takes so many seconds at most.

    If the time does not matter the same token gives the same schedule, in any process.  Raises ValueError for text that is
    no token, and for a schedule that does not fail.
    """
    found = Token.decode(token)
    taps = [
        tap for tap, wanted in ((PlainPoints(), found.plain_points), (FastTrack(fatal=True), found.races)) if wanted
    ]
    machine = new_machine("greenlets", taps, found.limit or LIMIT)
    with no_collection(), Watchdog(None) as watchdog, closing(machine):
        watchdog.execution = machine.execution
        machine.threads.early = found.early
        machine.leave_out(found.muted, found.left_out)
        check = set_up(machine, program, invariants)
        following = Replayer(machine, found.deviations, strict=True)
        fault = run_and_check(machine, following.pick, following.draw, check)
        if fault is None or following.diverged:
            raise ValueError(f"token {token[:20]!r}: its schedule does not fail: has the program changed since?")
        shrinker = Shrinker(machine, program, invariants, fault, seconds=seconds)
        with watchdog.cutting(seconds):
            smaller = shrinker.smaller(replace(found, deviations=tuple(following.used)))
        return written(smaller, fault, program, invariants)[0]
