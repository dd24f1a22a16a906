"""Threads that are in the middle of things: what the bodies of race tests begin with instead of starting up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mutator.world import GRUNNING, MRECORD, PRUNNING, G, P


if TYPE_CHECKING:
    from collector.fixtures.worlds import SmallWorld


def running(small: SmallWorld, *records: int) -> None:
    """Let these Ms have their Ps and run their goroutines, as after mstart's beginning."""
    peek, poke = small.machine.peek, small.machine.poke
    for m in records:
        poke(peek(m + MRECORD.p) + P.status, PRUNNING)
        poke(peek(m + MRECORD.curg) + G.status, GRUNNING)
