"""Replays a schedule from its token, and records its steps."""

from __future__ import annotations

from array import array
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING
from zlib import crc32

from collector.explore.claim import Claim, Kind, checked
from collector.explore.default import Replayer
from collector.explore.machine.address import AddressMemory
from collector.explore.machine.execution import LIMIT
from collector.explore.machine.fault import Refused
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.program import new_machine, no_collection, run_and_check, set_up
from collector.explore.races.report import Witness
from collector.explore.result import Failure, Result
from collector.explore.token import FORMAT, Token
from collector.explore.trace.recorder import Recorder
from collector.explore.trace.trace import trace
from collector.explore.watchdog import watched


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore.machine.fault import Fault
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.machine.taps import Tap
    from collector.explore.program import Invariant, Program
    from collector.explore.races.report import Race
    from collector.explore.trace.step import Schedule

    Before = Callable[[SteppedMachine, Recorder, int], None]


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


def machine_of(token: Token, witness: Witness, *recorders: Recorder, vehicle: str = "greenlets") -> SteppedMachine:
    """A machine for schedules of the token's program, under the rules that the token was made with."""
    taps: list[Tap] = [PlainPoints()] if token.plain_points else []
    if token.races:
        taps.append(witness)
    memory = AddressMemory() if recorders else None
    machine = new_machine(vehicle, [*taps, *recorders], token.limit or LIMIT, memory)
    machine.threads.early = token.early
    machine.leave_out(token.muted, token.left_out)
    return machine


class Replay:
    """One schedule, run again and written down; with the source lines of its steps if `sources`.

    `before` is called in front of every step, when it has been recorded, with who takes it.
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
        before: Before | None = None,
    ) -> None:
        self.token = token
        self.recorder = Recorder(sources=sources)
        witness = Witness()
        self.machine = machine = machine_of(token, witness, self.recorder, vehicle=vehicle)
        digest = Digest(machine)
        deviating = Replayer(machine, token.deviations, strict=True)
        self.fault: Fault | None = None
        self.refused: Refused | None = None
        """The program breaks a rule of the machine."""
        begun = perf_counter()
        observers = [self.recorder.observe, digest.observe]
        if before:
            observers.append(partial(before, machine, self.recorder))
        try:
            # Whoever looks around in between, as in a debugger, takes their time.
            with watched(machine, program) if before is None else nullcontext():
                check = set_up(machine, program, invariants)
                self.fault = run_and_check(machine, deviating.pick, deviating.draw, check, observers)
                self.recorder.look()
        except Refused as refused:
            self.refused = refused
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

    @cached_property
    def schedule(self) -> Schedule:
        """The schedule as records."""
        return self.recorder.schedule(self.fault, self.races)

    @property
    def trace(self) -> str:
        """The schedule as text, and how it ended."""
        return trace(self.schedule)

    @property
    def result(self) -> Result:
        """What `replay` says."""
        result = Result("replay", 0, schedules=1, steps=self.steps, seconds=self.seconds)
        if self.diverged:
            result.warnings.append(f"diverged: {self.diverged}; has the program changed since?")
        fault = self.fault
        if self.refused:
            result.claim = Claim(Kind.REFUSED, "replay", reason=self.refused.reason, where=self.refused.where)
        elif fault:
            result.failure = Failure(
                fault.kind,
                fault.message,
                self.token.encode(),
                self.schedule,
                fault.where,
                self.steps,
                self.preemptions,
            )
            result.claim = Claim(Kind.FAILED, "replay", number=1, reason=str(result.failure), where=fault.where)
        else:
            result.claim = checked(Claim(Kind.SAMPLED, "replay", number=1, probability=1.0))
        return result


def written(
    token: Token, fault: Fault, program: Program, invariants: Sequence[Invariant]
) -> tuple[Failure, list[Race]]:
    """The failure that the token's schedule shows, written down, with its races; `fault` was seen when it was run before."""
    again = Replay(replace(token, steps=0, digest=0), program, invariants)
    token = replace(token, steps=again.steps, digest=again.digest)
    found = again.fault or fault
    failure = Failure(
        found.kind, found.message, token.encode(), again.schedule, found.where, again.steps, again.preemptions
    )
    return failure, again.races


def replay(token: str, program: Program, *, invariants: Sequence[Invariant] = (), vehicle: str = "greenlets") -> Result:
    """Run the schedule that `token` stands for again, on the program it was made of.

    `failure` is as it was when the token was made.  If the program takes other steps than it did then, a warning says
    where that showed first.  Raises ValueError for text that is no token, and for a token of an older format that no longer
    replays.
    """
    with no_collection():
        return Replay(Token.decode(token), program, invariants, vehicle).result
