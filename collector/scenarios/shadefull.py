"""Scenario: "put on full???", a comment of the seed's where shade puts on partial in mark termination.  (O-2, K-1.)

Who waits in getfull looks at full and not at partial (K-3), so on full the buffer of a late barrier would at least be
seen. It would not help: with a thread without a P the mark still ends before the buffer comes, and then the throw is
"work.full != 0" instead of "work.partial != 0", or, later, a silent loss.

Modelled.  As in pless, with the one line changed.
"""

from __future__ import annotations

from collector.scenarios.pless import HARVESTED, ON_FULL, Fixed, Seed, pless
from collector.scenarios.scenario import Scenario, Variant
from workbuf.buffer import NOBJ


class PutsOnFull(Seed):
    """shade gives what it has queued to full; an empty buffer, of a barrier on a marked object, full would refuse."""

    def putpartial(self, b: int, entry: int) -> None:
        if entry == 1191 and self.port.words[b + NOBJ]:
            self.putfull(b, entry)
        else:
            super().putpartial(b, entry)


THROW = "work.full != 0"

SCENARIO = Scenario(
    name="shadefull",
    title="A late barrier that puts on full instead of partial is as late",
    bugs=("O-2", "K-1"),
    variants={
        "failing": Variant(pless(PutsOnFull, ON_FULL, HARVESTED), fails=THROW, races=False),
        "failing-late": Variant(pless(PutsOnFull, THROW, HARVESTED), fails=ON_FULL, races=False),
        "fixed": Variant(pless(Fixed)),
    },
)
