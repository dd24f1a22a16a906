"""The default: samplers and exhaustive search in turn, then exhaustive search alone for as long as the budget lasts.

Theory of operation.  No sampler wins everywhere: on this project's faults the uniform random walk was best, PCT of depth
3 never found the commonest one, and which is second depends on the fault.  So they take turns, a schedule each, and
exhaustive search by growing preemption bound is one of them: on a small program that ends early, with a proof.  The
second half of the budget is all its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.claim import sampled
from collector.explore.strategies.bounded import Exhaustive
from collector.explore.strategies.pct import LADDER, PCT
from collector.explore.strategies.pos import POS
from collector.explore.strategies.surw import SURW
from collector.explore.strategies.urw import URW
from collector.explore.strategies.walk import RandomWalk


if TYPE_CHECKING:
    from collector.explore.claim import Claim
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options, Strategy


class Portfolio:
    """URW, random walk, PCT, POS, SURW and exhaustive search in turn."""

    name = "portfolio"

    def __init__(self, options: Options) -> None:
        depths = (options.depth,) if options.depth else LADDER
        self.exhaustive = Exhaustive(options)
        self.members: list[Strategy] = [
            URW(options),
            RandomWalk(options),
            PCT(options, depths),
            POS(options),
            URW(options),
            SURW(options),
            self.exhaustive,
        ]
        self.runs = 0
        self.shared = options.schedules // 2
        self.current = self.members[0]

    @property
    def exhausted(self) -> bool:
        """By the exhaustive part."""
        return self.exhaustive.exhausted

    @property
    def done(self) -> bool:
        """Only if the exhaustive part says so."""
        return self.exhaustive.done

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        self.current = self.members[self.runs % len(self.members)] if self.runs < self.shared else self.exhaustive
        self.runs += 1
        return self.current.begin(machine)

    def end(self, machine: SteppedMachine, /) -> None:
        """Whoever picked may learn."""
        self.current.end(machine)

    def outlook(self, schedules: int, /) -> str:
        """Of the exhaustive part."""
        return self.exhaustive.outlook(schedules)

    def claim(self, schedules: int, /) -> Claim:
        """What the exhaustive part can say, else what the samplers can."""
        if self.exhausted or self.runs > self.shared:
            return self.exhaustive.claim(schedules)
        return sampled(schedules, self.name)
