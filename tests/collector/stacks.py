"""Goroutines of the tests' own, in any status."""

from __future__ import annotations

from mutator.phase import GCscan
from mutator.world import GSCAN, GWAITING, G
from tests.worlds import Bench


def scanning() -> Bench:
    """A model in the scan phase, with room for goroutines of the tests' own."""
    bench = Bench(goroutines=4)
    bench.phase(GCscan)
    return bench


def become(bench: Bench, gp: int, status: int) -> int:
    """Put a goroutine into a status without asking."""
    bench.machine.poke(gp + G.status, status)
    return gp


def stopped(bench: Bench, *pointers: int) -> int:
    """A goroutine whose scan bit is held, with these pointers in its frame."""
    return become(bench, bench.parked(*pointers), GWAITING | GSCAN)
