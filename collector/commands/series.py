"""Several stress runs, one after the other: with every mix of programs (`--all`), or the same again (`--repeat`)."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.stress.run import Plan

TURN = 5.0
"""Seconds of one run of `--all` at most."""
MIXES = (
    "rewire,hider,arguments,sizes",
    "latesend,latesend,hider,pushpop",
    "channel,channel,finalizers,bintree",
    "rewire,finalizers,sizes,longlist",
)
"""The programs of `--all`, run by run: few enough threads for cycles to be short."""


def mixed(plan: Plan, mix: str, number: int) -> Plan:
    """Run `number` of `--all`: every other round verifies its marks by a second mark right behind the first."""
    names = mix.split(",")
    checkmark = plan.config.checkmark or number // len(MIXES) % 2 == 1
    config = replace(plan.config, mutators=len(names), checkmark=checkmark)
    return replace(plan, config=config, programs=tuple(names))


def repeated(first: Plan, times: int, execute: Callable[[Plan], int]) -> int:
    """The same run with one seed after the next, `times` times (0: without end), or until one has failed."""
    status = 0
    for number in count():
        status = execute(replace(first, seed=first.seed + number))
        if status or number + 1 == times:
            break
    return status
