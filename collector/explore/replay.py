"""replay: run one schedule again from its token, step by step the same, and write it down."""

from __future__ import annotations

from array import array
from time import perf_counter
from typing import TYPE_CHECKING
from zlib import crc32

from collector.explore.default import Replayer
from collector.explore.machine.machine import SteppedMachine
from collector.explore.machine.plainpoints import plain_points
from collector.explore.program import CARRIERS, run_and_check, set_up
from collector.explore.races.report import Witness
from collector.explore.result import Failure, Result
from collector.explore.token import FORMAT, Token
from collector.explore.trace.trace import Recorder


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import Tap
    from collector.explore.program import Invariant, Program


class Digest:
    """An observer that sums up what the steps were."""

    def __init__(self, machine: SteppedMachine) -> None:
        self.machine = machine
        self.steps = array("q")

    def observe(self, t: int) -> None:
        """Thread `t` is about to take its step."""
        self.steps.extend((t, self.machine.kinds[t], self.machine.addrs[t]))

    @property
    def value(self) -> int:
        """32 bits."""
        return crc32(self.steps.tobytes())


class Replay:
    """One schedule, run again and written down; with the source lines of its steps if `sources`.

    Raises ValueError for a token of an older format whose steps are no longer those that it was made of.
    """

    def __init__(
        self,
        token: Token,
        program: Program,
        invariants: Sequence[Invariant] = (),
        vehicle: str = "greenlets",
        *,
        sources: bool = False,
    ) -> None:
        self.token = token
        self.recorder = Recorder(sources=sources)
        witness = Witness()
        taps: list[Tap] = [plain_points] if token.plain_points else []
        if token.races:
            taps.append(witness.fit)
        self.machine = machine = SteppedMachine(CARRIERS[vehicle], [*taps, self.recorder.fit])
        machine.muted = frozenset(token.muted)
        machine.left.out = frozenset(token.left_out)
        machine.steps_allowed = token.limit or machine.steps_allowed
        digest = Digest(machine)
        deviating = Replayer(machine, token.deviations, strict=True)
        begun = perf_counter()
        try:
            check = set_up(machine, program, invariants)
            observers = (self.recorder.observe, digest.observe)
            self.fault: Fault | None = run_and_check(machine, deviating.pick, deviating.draw, check, observers)
        finally:
            machine.close()
        self.seconds = perf_counter() - begun
        self.steps = len(machine.trail)
        self.digest = digest.value
        self.races = list(witness.races.values())
        self.preemptions = deviating.preemptions
        self.diverged = deviating.diverged
        if not self.diverged and token.steps and (self.steps, self.digest) != (token.steps, token.digest):
            self.diverged = f"the schedule took {self.steps} steps, not the {token.steps} that the token was made of"
            if self.steps == token.steps:
                self.diverged = "the schedule took other steps than those that the token was made of"
        if self.diverged and token.format < FORMAT:
            raise ValueError(
                f"an s{token.format} token that no longer replays ({self.diverged}): find the failure again"
            )

    @property
    def trace(self) -> str:
        """The schedule, and how it ended."""
        ending = ""
        if self.fault:
            who = f"{self.machine.names[self.fault.thread]}: " if self.fault.thread >= 0 else ""
            ending = f"\n{who}{self.fault.kind}: {self.fault.details or self.fault.message}"
        return self.recorder.text(lasso=self.fault.lasso if self.fault else None) + ending

    @property
    def result(self) -> Result:
        """What `replay` says."""
        result = Result("replay", 0, schedules=1, steps=self.steps, seconds=self.seconds)
        if self.diverged:
            result.warnings.append(f"diverged: {self.diverged}; has the program changed since?")
        fault = self.fault
        if fault:
            result.failure = Failure(
                fault.kind, fault.message, self.token.encode(), self.trace, fault.where, self.steps, self.preemptions
            )
            result.statement = f"Failed as replayed: {result.failure}"
        else:
            result.statement = f"The schedule passed ({self.steps} steps)."
        return result


def replay(token: str, program: Program, *, invariants: Sequence[Invariant] = (), vehicle: str = "greenlets") -> Result:
    """Run the schedule that `token` stands for again, on the program it was made of.

    `failure` is as it was when the token was made.  If the program takes other steps than it did then, a warning says
    where that showed first.  Raises ValueError for a token that is none, or of an older format and no longer replays.
    """
    return Replay(Token.decode(token), program, invariants, vehicle).result
