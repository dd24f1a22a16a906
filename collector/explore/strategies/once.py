"""One schedule, of a program of which everything else was seen by others: for what is checked before a proof is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.default import Replayer
from collector.explore.strategies.base import Sampler


if TYPE_CHECKING:
    from collector.explore.claim import Claim
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options


class Once(Sampler):
    """Runs the default schedule, and claims what it was told."""

    name = "once"

    def __init__(self, options: Options, claim: Claim) -> None:
        super().__init__(options)
        self.claimed = claim

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        replayer = Replayer(machine, ())
        return replayer.pick, replayer.draw

    def end(self, _machine: SteppedMachine, /) -> None:
        self.exhausted = self.done = True

    def claim(self, _schedules: int, /) -> Claim:
        """What the others have seen."""
        return self.claimed
