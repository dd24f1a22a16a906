"""Several stress runs, one after the other: with every mix of programs (`--all`), or the same again (`--repeat`)."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, cycle
from time import monotonic
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stress.run import Plan

TURN = 5.0
"""Seconds of one run of `--all`."""
MIXES = (
    "rewire,hider,arguments,sizes",
    "latesend,latesend,hider,pushpop",
    "channel,channel,finalizers,bintree",
    "rewire,finalizers,sizes,longlist",
)
"""The programs of `--all`, run by run: few enough threads for cycles to be short."""


def turns(first: Plan, seconds: float, execute: Callable[[Plan], int]) -> int:
    """One run after another, each with the next mix of programs, until the seconds are over or a run has failed."""
    left, status = seconds, 0
    for number, mix in enumerate(cycle(MIXES)):
        names = mix.split(",")
        # Every other round verifies its marks: a second mark right behind the first.
        checkmark = first.config.checkmark or number // len(MIXES) % 2 == 1
        config = replace(first.config, mutators=len(names), checkmark=checkmark)
        what = replace(first, config=config, programs=tuple(names), seconds=min(left, TURN), seed=first.seed + number)
        began = monotonic()
        status = execute(what)
        left -= max(monotonic() - began, TURN)
        if status or left <= 0:
            break
    return status


def repeated(first: Plan, times: int, execute: Callable[[Plan], int]) -> int:
    """The same run with one seed after the next, `times` times (0: without end), or until one has failed."""
    status = 0
    for number in count():
        status = execute(replace(first, seed=first.seed + number))
        if status or number + 1 == times:
            break
    return status
