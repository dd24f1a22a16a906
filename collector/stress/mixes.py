"""Mixes of mutator programs that take turns, run by run, so that all of them are run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.stress.run import Plan

TURN = 5.0
"""Seconds of one run at most."""
MIXES = (
    "rewire,hider,arguments,sizes",
    "latesend,latesend,hider,pushpop",
    "channel,channel,finalizers,bintree",
    "rewire,finalizers,sizes,longlist",
)
"""The programs, run by run: few enough threads for cycles to be short."""


def mixed(plan: Plan, mix: str, number: int) -> Plan:
    """Run `number` of a series: every other round verifies its marks by a second mark right behind the first."""
    names = mix.split(",")
    checkmark = plan.config.checkmark or number // len(MIXES) % 2 == 1
    config = replace(plan.config, mutators=len(names), checkmark=checkmark)
    return replace(plan, config=config, programs=tuple(names))
