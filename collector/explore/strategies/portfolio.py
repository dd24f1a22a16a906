"""The portfolio, the default strategy: DPOR, state search, samplers and bounded search take turns until one is done.

It is not known beforehand which search decides a program: DPOR where traces are few, state search where they are many and
states few, a sampler where the fault is easy to hit and the program wide, bounded search where one preemption suffices.
So each is a member with a machine of its own and a share of the time, and the next schedule is that of the member with
the least cost for its share (Waldspurger and Weihl, Stride scheduling, 1995).  A program that DPOR alone decides is
then decided in about twice DPOR's time.

Cost is counted in steps, not in seconds: the same seed gives the same schedules.  A schedule costs SET_UP steps beside its
own, and a step of DPOR as many as its `price` says.  State search pays for what it captures, and begins LATER.

DPOR has most of the time of the two that can prove.  They share it evenly while state search computes its states, which
is cheap, or if DPOR has far to go; if state search then comes upon fewer and fewer new states, or DPOR can prove nothing, it
has most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.explore.claim import Kind, sampled
from collector.explore.strategies.base import Sampler
from collector.explore.strategies.bounded import Exhaustive
from collector.explore.strategies.dpor.search import DPOR
from collector.explore.strategies.pct import LADDER, PCT
from collector.explore.strategies.pos import POS
from collector.explore.strategies.stateful import Stateful
from collector.explore.strategies.surw import SURW
from collector.explore.strategies.urw import URW
from collector.explore.strategies.walk import RandomWalk


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.claim import Claim
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.strategies.base import Options, Strategy


STRENGTH = [*Kind]
"""Kinds of claims, the strongest first."""
SET_UP = 20
"""What beginning and checking a schedule costs, in steps."""
STATE = 8.0
"""What a state costs, in steps: computed from what each thread does, or looked up."""
VALUE = 0.45
"""What it costs to capture a value of it."""
LATER = 10_000
"""What the others spend, each for its share, before state search begins: much is decided by then."""
FAR = 1_000
"""Schedules of DPOR after which it is asked how far it has come, and again after twice as many."""
LITTLE = 0.02
"""A share of its tree that is little after so many."""
LEAST = 0.15
"""Of the time of both, what the one has that is less likely to prove."""


def strength(claim: Claim) -> tuple[int, bool]:
    """Of two claims, the stronger one is less in this."""
    return STRENGTH.index(claim.kind), not claim.number


class Samplers:
    """URW, random walk, PCT, POS, URW and SURW in turn, a schedule each.

    No sampler wins everywhere: on this project's faults the uniform random walk was best, PCT of depth 3 never found the
    commonest one, and which is second depends on the fault.
    """

    exhausted = done = observes = False

    def __init__(self, options: Options) -> None:
        depths = (options.depth,) if options.depth else LADDER
        self.turns: list[Strategy] = [
            URW(options),
            RandomWalk(options),
            PCT(options, depths),
            POS(options),
            URW(options),
            SURW(options),
        ]
        self.current = self.turns[-1]
        self.name = "samplers"
        """Of the one whose turn it was last."""
        self.runs = 0

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        self.current = self.turns[self.runs % len(self.turns)]
        self.name = self.current.name
        self.runs += 1
        return self.current.begin(machine)

    def end(self, machine: SteppedMachine, /) -> None:
        """Passes the end of the schedule to the sampler that picked it."""
        self.current.end(machine)

    def outlook(self, _schedules: int, /) -> str:
        """There is always more to draw."""
        return ""

    def claim(self, schedules: int, /) -> Claim:
        """What random schedules can say."""
        return sampled(schedules, "samplers")


class Member:
    """A strategy, its share of the time, and what it has spent."""

    def __init__(self, strategy: Strategy, share: float = 1.0, price: float = 1.0) -> None:
        self.strategy = strategy
        self.share = share
        self.price = price
        """What a step costs."""
        self.cost = 0.0
        self.schedules = 0
        """Complete ones."""
        self.overlong = 0
        """Schedules that grew longer than allowed."""
        self.samples = isinstance(strategy, Sampler | Samplers)
        """It draws its schedules, so some may come again."""

    def spend(self, steps: int, *, complete: bool, overlong: bool = False) -> None:
        """It has run a schedule of so many steps."""
        self.cost += self.price * (steps + SET_UP)
        self.schedules += complete
        self.overlong += overlong


class Searching(Member):
    """State search: what it captures costs more than its steps."""

    def __init__(self, strategy: Stateful, share: float) -> None:
        super().__init__(strategy, share)
        self.search = strategy
        self.cost = LATER * share
        self.paid = (0, 0)
        """States, and values captured."""

    def spend(self, steps: int, *, complete: bool, overlong: bool = False) -> None:
        """It has run a schedule of so many steps."""
        super().spend(steps, complete=complete, overlong=overlong)
        states, captured = self.search.states, self.search.captured
        # A search that begins again has fewer states than before.
        self.cost += STATE * max(states - self.paid[0], 0) + VALUE * (captured - self.paid[1])
        self.paid = states, captured


class Portfolio:
    """Members that take turns."""

    def __init__(self, members: Sequence[Member], name: str = "") -> None:
        self.members = members
        self.name = name or members[0].strategy.name

    @property
    def exhausted(self) -> bool:
        """One of them has seen everything."""
        return any(member.strategy.exhausted for member in self.members)

    @property
    def done(self) -> bool:
        """One of them has seen everything, to the end of each schedule, or there is none left that goes on."""
        over = True
        for member in self.members:
            if member.strategy.exhausted and not member.overlong:
                return True
            over = over and member.strategy.done
        return over

    def turn(self) -> Member:
        """Who runs the next schedule."""
        if len(self.members) == 1:
            return self.members[0]
        going_on = (member for member in self.members if not member.strategy.done)
        return min(going_on, key=lambda member: member.cost / member.share)

    def outlook(self) -> str:
        """Of those who can tell."""
        told = ((member.strategy.name, member.strategy.outlook(member.schedules)) for member in self.members)
        return "; ".join(
            f"{name}: {outlook}" if len(self.members) > 1 else outlook for name, outlook in told if outlook
        )

    def claim(self) -> Claim:
        """The strongest that any of them makes."""
        claims = [member.strategy.claim(member.schedules) for member in self.members]
        return min(claims, key=strength)


class DefaultPortfolio(Portfolio):
    """The default portfolio."""

    def __init__(self, options: Options) -> None:
        self.dpor, self.stateful, self.exhaustive = DPOR(options), Stateful(options), Exhaustive(options)
        members = [
            Member(Samplers(options), 0.30),
            Member(self.dpor, 0.55, price=3.0),
            Member(self.exhaustive, 0.05),
            Searching(self.stateful, 0.10),
        ]
        super().__init__(members, "portfolio")
        self.asked = FAR
        """Schedules of DPOR after which it is asked how far it has come."""
        self.before = (members[-1].cost, 0)
        """Cost and states of the state search when that was asked last."""
        self.far = self.slower = False
        """DPOR has far to go; state search comes upon fewer and fewer new states."""

    @property
    def done(self) -> bool:
        """Also when bounded search has come to the bound that was asked for."""
        return super().done or (self.exhaustive.done and not self.exhaustive.exhausted)

    def turn(self) -> Member:
        _, dpor, _, stateful = self.members
        if dpor.schedules >= self.asked:
            self.asked *= 2
            cost, states = stateful.cost - self.before[0], self.stateful.states - self.before[1]
            self.slower = states * stateful.cost < self.stateful.states * cost / 2
            self.before = stateful.cost, self.stateful.states
            self.far = self.dpor.share_done() < LITTLE
        both = dpor.share + stateful.share
        if self.dpor.hindrance or (self.far and self.slower):
            dpor.share = both * LEAST
        else:
            dpor.share = both * (0.5 if self.far or self.stateful.computes else 1 - LEAST)
        stateful.share = both - dpor.share
        return super().turn()
