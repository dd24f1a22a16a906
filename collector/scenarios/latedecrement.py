"""Scenario: a getfull that decrements the count of waiters after the pop instead of before it.  (O-24; S5.)

Between the pop and the decrement the thread holds a buffer and still counts as waiting.  If the others begin to wait at
that moment, all seem to wait, and the mark ends while one thread still holds work.  Needs three preemptions.

Modelled.  Two or three participants, one buffer, whose holder publishes one more.
"""

from __future__ import annotations

from collector.fixtures.pool import pool
from collector.scenarios.scenario import Scenario, Variant
from workbuf.getfull import PASSIVE_SPINS, Getfull


class LateDecrement(Getfull):
    """The same loop with the two steps exchanged."""

    def getfull(self, entry: int) -> int:
        """As getfull, but pops first."""
        b = self.popfull(entry) or self.poppartial(entry)
        if b:
            return b
        port = self.port
        port.xadd(self.work_nwait, 1)
        turn = 0
        while True:
            if port.hint(self.work_full) != 0:
                b = self.popfull(entry) or self.poppartial(entry)
                if b:
                    port.xadd(self.work_nwait, -1)
                    return b
            if port.hint(self.work_nwait) == port.hint(self.work_nproc):
                return 0
            self.backoff(turn)
            turn = min(turn + 1, PASSIVE_SPINS)


SCENARIO = Scenario(
    name="latedecrement",
    title="getfull decrements nwait after the pop: mark termination ends early",
    bugs=("S4", "S5", "O-24"),
    variants={
        "failing": Variant(pool(LateDecrement, 2, 1), fails="ended early"),
        "fixed": Variant(pool(Getfull, 2, 1)),
        "failing3": Variant(pool(LateDecrement, 3, 1), fails="ended early", exhaustible=False),
        "fixed3": Variant(pool(Getfull, 3, 1), exhaustible=False),
    },
    limits={"preemptions": 3},
)
