"""Checks that the helpers of a run really took part in its marks, and reports what each marker scanned.

`gcprocs` counts the Ms, Ps and processors that are idle at that moment.  With too few of them, or with a helper that is not
idle yet, the mark has fewer markers and nobody is told.  So if all helpers were idle when a cycle began, fewer markers than
were asked for are a fault, and the run fails.

A helper that scanned nothing is no fault: there may have been nothing to share (a list, a few buffers, the rest of a
concurrent mark), or a busy machine woke it late.  The report says so, because such a mark was not parallel.
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
