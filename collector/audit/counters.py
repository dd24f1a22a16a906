"""Checks the counters of mark termination: nwait (I10), ndone (I11), and that each root job ran once (I12).

They are checked when the helpers have been joined.  I10 is audited in mark termination only: in the concurrent mark
nwait == nproc while assists still hold work (K-4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from workbuf.local import WORK


if TYPE_CHECKING:
    from workbuf.local import Globals
    from workbuf.machine import Words


def checkbarrier(world: Globals, words: Words) -> None:
    """Throw a Violation unless all participants are in the barrier and all helpers counted."""
    nproc, nwait, ndone = (words[world.work + at] for at in (WORK.nproc, WORK.nwait, WORK.ndone))
    if nwait != nproc:
        raise Violation("barrier", f"mark termination ended with nwait={nwait}, nproc={nproc}")
    if ndone != nproc - 1:
        raise Violation("barrier", f"mark termination ended with ndone={ndone}, nproc={nproc}")


def checkroots(words: Words, counters: int, n: int) -> None:
    """Throw a Violation unless each of the `n` root jobs ran once; their counters lie at cell `counters`."""
    for i in range(n):
        if words[counters + i] != 1:
            raise Violation("roots", f"root job {i} of {n} was executed {words[counters + i]} times")
