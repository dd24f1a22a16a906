"""The race report: a second, slower race detector, which keeps the stacks of both accesses.

Theory of operation.  A schedule in which FastTrack has found a race is run again with this detector instead.  Per cell it
keeps the last access of each thread from each line (`DJIT+` with sites; Pozniansky and Schuster, 2003), and compares a new
access with all of them by vector clocks.  So it finds all pairs of lines that race in this schedule, and the first race at
the same access as FastTrack, which is tested against it.

A `hint` or a `post` takes part only if asked for; its races are reported as intended ones (`knowing`).

The layout of a race is that of `go -race`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collector.explore.default import Following
from collector.explore.machine import ops
from collector.explore.machine.fault import Fault
from collector.explore.machine.operations import no_word, outside
from collector.explore.machine.plainpoints import PlainPoints
from collector.explore.machine.site import callers
from collector.explore.program import new_machine, run_and_check, set_up
from collector.explore.races.clocks import Clock, Order
from workbuf.machine import MASK64


if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.explore.machine.ops import Op
    from collector.explore.machine.ports import SteppedPort
    from collector.explore.machine.site import Site
    from collector.explore.machine.taps import After, Tap
    from collector.explore.program import Invariant, Program

RULE = "=" * 18


@dataclass(frozen=True)
class Access:
    """One access to a cell."""

    what: str
    """read, write, atomic read, atomic write, hint, post."""
    thread: int
    epoch: int
    """Its thread's time."""
    step: int
    """Number of the step after which it came, or which it was; in `Witness.accesses`, the place in the trail."""
    stack: tuple[Site, ...]
    """Of the program, the innermost frame first."""

    @property
    def site(self) -> str:
        """The line that made it, `file:line`."""
        return str(self.stack[0]) if self.stack else ""

    @property
    def writes(self) -> bool:
        """Does it change the cell?"""
        return self.what in ("write", "atomic write", "post")

    @property
    def knowing(self) -> bool:
        """Is it made to race?"""
        return self.what in ("hint", "post")

    def races(self, other: Access) -> bool:
        """Would it race with `other`, if nothing orders them?"""
        atomic = self.what.startswith("atomic") and other.what.startswith("atomic")
        return (self.writes or other.writes) and not atomic


@dataclass(frozen=True)
class Race:
    """Two accesses to one cell that nothing orders."""

    address: int
    """The cell."""
    cell: str
    """Its name."""
    later: Access
    earlier: Access
    threads: tuple[str, str]
    """Who made them."""
    lives: tuple[str, str]
    """How these threads began, and whether they were still running."""

    @property
    def sites(self) -> tuple[str, str]:
        """The two lines; races with the same two are the same."""
        a, b = sorted((self.later.site, self.earlier.site))
        return a, b

    @property
    def knowing(self) -> bool:
        """A hint or a post takes part: the protocol is made for it."""
        return self.later.knowing or self.earlier.knowing

    @property
    def message(self) -> str:
        """In one line."""
        return (
            f"{self.later.what} of {self.cell} by {self.threads[0]}, "
            f"not ordered with a previous {self.earlier.what} by {self.threads[1]}"
        )

    def __str__(self) -> str:
        def told(before: str, access: Access, thread: str) -> list[str]:
            head = f"{before}{access.what}".capitalize()
            when = f"at step {access.step}" if access.step >= 0 else "before the first step"
            return [
                f"{head} at {self.cell} by {thread} {when}:",
                *(f"  {line.function}()\n      {line}" for line in access.stack),
                "",
            ]

        return "\n".join(
            [
                RULE,
                "KNOWING RACE" if self.knowing else "WARNING: DATA RACE",
                *told("", self.later, self.threads[0]),
                *told("previous ", self.earlier, self.threads[1]),
                *self.lives,
                RULE,
            ]
        )


class Watched(Clock):
    """One thread's accesses, kept."""

    __slots__ = ("witness",)

    def __init__(self, witness: Witness, port: SteppedPort) -> None:
        super().__init__(port.index, port.words, witness.released)
        self.witness = witness

    def __getitem__(self, a: int) -> int:
        try:
            v = self.words[a]
            if a < 1:
                outside(a)
        except IndexError:
            outside(a)
        except TypeError:
            no_word(self.witness.machine.execution, "words", a)
        self.witness.saw(self, "read", a)
        return v

    def __setitem__(self, a: int, v: int) -> None:
        try:
            if a < 1:
                outside(a)
            self.words[a] = v & MASK64
        except IndexError:
            outside(a)
        except TypeError:
            no_word(self.witness.machine.execution, "words", a, v)
        self.witness.saw(self, "write", a)

    def loaded(self, a: int) -> None:
        self.witness.saw(self, "atomic read", a)

    def stored(self, a: int) -> None:
        self.witness.saw(self, "atomic write", a)


class Witness(Order):
    """Watches one schedule.  The first race is its fault and ends it, unless all are wanted."""

    def __init__(self, *, fatal: bool = True, knowing: bool = False) -> None:
        super().__init__()
        self.fatal = fatal
        self.knowing = knowing
        self.races: dict[tuple[str, str], Race] = {}
        """By their sites."""
        self.accesses: dict[int, dict[tuple[int, str, str], Access]] = {}
        """Per cell, the last one of each thread, site and kind."""

    def clock(self, port: SteppedPort) -> Clock:
        return Watched(self, port)

    def begin(self) -> None:
        super().begin()
        self.races.clear()
        self.accesses.clear()

    def after(self, port: SteppedPort) -> dict[int, After]:
        after = super().after(port)
        if self.knowing:
            mine = self.clocks[port.index]
            after |= {op.code: self._knowing(mine, op) for op in ops.TABLE if op.access == ops.KNOWING}
        return after

    def _knowing(self, mine: Clock, op: Op) -> After:
        return lambda _result, a, _v=0: self.saw(mine, op.name, a)

    def saw(self, clock: Clock, what: str, a: int) -> None:
        """The thread of `clock` has just accessed cell `a`."""
        t = clock.thread
        access = Access(what, t, clock.epoch[0], len(self.machine.trail) - 1, callers())
        accesses = self.accesses.setdefault(a, {})
        for earlier in reversed(accesses.values()):
            if earlier.thread != t and earlier.epoch > clock.known[earlier.thread] and access.races(earlier):
                self._race(a, access, earlier)
        key = t, access.site, what
        accesses.pop(key, None)  # the newest are last
        accesses[key] = access

    def _race(self, a: int, later: Access, earlier: Access) -> None:
        machine = self.machine
        u, v = later.thread, earlier.thread
        lives = self._life(u, "running"), self._life(v, "finished" if machine.has_ended(v) else "running")
        later, earlier = self._numbered(later), self._numbered(earlier)
        race = Race(a, machine.name(a), later, earlier, (machine.names[u], machine.names[v]), lives)
        self.races.setdefault(race.sites, race)
        if self.fatal and not race.knowing:
            machine.fail(Fault("race", race.message, later.site, later.thread, f"{race.message}\n{race}"))

    def _numbered(self, access: Access) -> Access:
        """With the step's number instead of its place in the trail, where the values chosen stand, too."""
        return replace(access, step=sum(entry >= 0 for entry in self.machine.trail[: access.step + 1]) - 1)

    def _life(self, t: int, state: str) -> str:
        names = self.machine.names
        parent = names[self.parents[t]] if t in self.parents else "the program"
        return f"{names[t]} ({state}) started by {parent}"


def races_of(
    program: Program,
    trail: Sequence[int],
    invariants: Sequence[Invariant] = (),
    vehicle: str = "greenlets",
    *,
    plain: bool = False,
    early: int = 0,
    knowing: bool = False,
) -> list[Race]:
    """All races of the schedule `trail` of `program`; with those in which a hint or a post takes part if `knowing`."""
    witness = Witness(fatal=False, knowing=knowing)
    taps: list[Tap] = [PlainPoints()] if plain else []
    machine = new_machine(vehicle, [*taps, witness])
    machine.threads.early = early
    try:
        check = set_up(machine, program, invariants)
        following = Following(machine, trail)
        run_and_check(machine, following.pick, following.draw, check)
    finally:
        machine.close()
    return list(witness.races.values())
