"""Scenario: who shades while the harvest is under way?  (O-6, K-1.)

The seed sets `harvestingwbufs` for as long as a harvest lasts, and the one line that would read it, a throw in shade,
is commented out.  With that line in place: a thread without a P runs into it (`failing`), which is K-1 seen from the
other side; where a barrier needs a P, nobody ever does, exhausted.

Modelled.  A stop of the world with a harvest, and one barrier, with a P or without.
"""

from __future__ import annotations

from collector.runtime import CollectorM
from collector.scenarios.harvestrace import Anyone, with_p, without_p
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.world import RUNTIME
from workbuf.throw import Throw


class Asking(CollectorM):
    """shade as the seed's comment has it."""

    def shade(self, b: int) -> None:
        if self.port.load(self.runtime + RUNTIME.harvestingwbufs):
            raise Throw("shade while harvesting")
        super().shade(b)


class AnyoneAsking(Asking, Anyone):
    """With the seed's barrier."""


SCENARIO = Scenario(
    name="shadeharvest",
    title="Only a thread without a P shades while the caches are harvested",
    bugs=("O-6", "K-1"),
    variants={
        "failing": Variant(without_p(AnyoneAsking), fails="shade while harvesting"),
        "fixed": Variant(with_p(Asking)),
    },
    kind=SOUND,
)
