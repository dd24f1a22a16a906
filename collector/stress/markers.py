"""Which Ms marked in each cycle, and a check that the helpers a run was given really took part.

`gcprocs` counts the idle Ms, Ps and processors that there are at that moment, so that a model with too few of them, or a
helper that has not lain down yet, silently makes a mark of one marker.  Where all helpers lay idle when a cycle began,
fewer markers than were asked for are a fault, and the run fails.

A helper that came and scanned nothing is no fault: a heap that is a list or a few buffers, what a concurrent mark leaves
to mark termination, and a busy machine that wakes the helper late, have nothing to share.  It is said, so that nobody
takes such a mark for a parallel one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.gc import CycleStats

IDLE = "helpers came, and found nothing left to scan"


def missing(stats: CycleStats, asked: int) -> str:
    """What is wrong with the markers of a mark to which `asked` should have come; empty if nothing is."""
    if stats.nproc >= asked:
        return ""
    return f"{stats.nproc} of the {asked} markers that were asked for came to mark termination of cycle {stats.number}"


def idle(scanned: Sequence[int]) -> bool:
    """Say whether there were helpers and none scanned an object; `scanned`: objects by marker, the master first."""
    return len(scanned) > 1 and not any(scanned[1:])


def said(scanned: Sequence[int]) -> str:
    """The markers of a mark and what each has scanned, for a table."""
    return f"{len(scanned)} scanned {' + '.join(map(str, scanned))}"


def marks(cycles: Sequence[CycleStats]) -> dict[str, Any]:
    """For JSON: `nproc`, the markers of the last mark, and `marks`: each mark's, and the objects that each has scanned."""
    return {
        "nproc": cycles[-1].nproc if cycles else 0,
        "marks": [{"nproc": stats.nproc, "scanned": stats.scanned} for stats in cycles],
    }
