"""Stateful exhaustive search: depth first, and not twice from the same state.

Where traces are too many, states may be few: three threads at a barrier have half a million traces and a few thousand
states.  A *state* is the memory (but for statistics), each thread's next step, and what it knows (`state.localstate`);
of each, a 128-bit digest is kept.  A schedule that comes to a state that is known is cut off there: everything behind
it has been seen, or will be.  Greenlets cannot be copied, so the way back to the last state with something left is to
run the program again.

A state that comes again on its own path is a circle.  If every thread that could run somewhere in the circle has run in
it, it may be gone round for ever: the schedule then goes on in turn, where a livelock proves itself.

It relies on what `LocalState` relies on.  Data races are found on the paths that are run; the path to a state that was
cut off may have ordered less.

A livelock is overlooked where its circle crosses itself, so that no path of different states goes round it fairly.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING

from collector.explore.claim import Claim, Kind, Seen
from collector.explore.machine.carrier import MAIN
from collector.explore.machine.threads import PAUSED
from collector.explore.state.localstate import SATURATED, LocalState
from collector.explore.strategies.base import left


if TYPE_CHECKING:
    from collector.explore.machine.execution import Draw, Pick
    from collector.explore.machine.machine import SteppedMachine
    from collector.explore.state.localstate import Snapshot
    from collector.explore.strategies.base import Options


DIGEST = 16
"""Bytes by which states are told apart."""


class Choice:
    """A place on the current path, and what can be done there."""

    __slots__ = ("alternatives", "index", "runnable", "snapshot", "state")

    def __init__(
        self, alternatives: list[int], snapshot: Snapshot, state: bytes = b"", runnable: frozenset[int] = frozenset()
    ) -> None:
        self.alternatives = alternatives
        self.index = 0
        self.snapshot = snapshot
        """What the threads know here."""
        self.state = state
        """Digest of the state; empty where a value is chosen."""
        self.runnable = runnable


class Stateful:
    """Depth-first search that recognises states."""

    name = "stateful"

    def __init__(self, _options: Options) -> None:
        self.local = LocalState()
        self.taps = [self.local.fit]
        self.path: list[Choice] = []
        self.seen: set[bytes] = set()
        self.on_path: dict[bytes, int] = {}
        """State to its place on the path."""
        self.runs = 0
        self.exhausted = False

    @property
    def done(self) -> bool:
        """When every state was seen."""
        return self.exhausted

    @property
    def states(self) -> int:
        """Different states seen."""
        return len(self.seen)

    def begin(self, machine: SteppedMachine) -> tuple[Pick, Draw]:
        path, runnable, seen, on_path = self.path, machine.runnable, self.seen, self.on_path
        local = self.local
        local.live = not path
        at = 0

        def take() -> int:
            nonlocal at
            choice = path[at]
            at += 1
            if at == len(path) and not local.live:
                local.restore(choice.snapshot)
            return choice.alternatives[choice.index]

        def pick(i: int) -> int:
            if at == len(path):
                state = self._state(machine)
                if state in seen:
                    circle = on_path.get(state)
                    if circle is None or not self._fair(circle):
                        return MAIN
                    # From here on in turn: what this comes to is seen there.
                    return machine.go_round(i)
                seen.add(state)
                on_path[state] = at
                path.append(Choice(self._order(i, machine), local.snapshot(), state, frozenset(runnable)))
            return take()

        def draw(_i: int, n: int) -> int:
            if at == len(path):
                path.append(Choice(list(range(n)), local.snapshot()))
            return take()

        return pick, draw

    @staticmethod
    def _order(i: int, machine: SteppedMachine) -> list[int]:
        """The runnable threads, the running one first."""
        if i in machine.runnable and not machine.flags[i] & PAUSED:
            return [i, *(t for t in machine.runnable if t != i)]
        return machine.runnable[:]

    def _state(self, machine: SteppedMachine) -> bytes:
        """Digest of the state that the machine is in."""
        threads = len(machine.names)
        words = array("Q", machine.mem)
        for a in machine.statistics:
            words[a] = 0
        digest = blake2b(words.tobytes(), digest_size=DIGEST)
        digest.update(array("q", [len(words), threads, *self.local.histories[:threads]]).tobytes())
        digest.update(array("q", [*machine.kinds[:threads], *machine.addrs[:threads]]).tobytes())
        digest.update(bytes([*machine.flags[:threads], *machine.stale[:threads]]))
        # What a thread has read since its last pause decides what will let it go from the next one, unless that has come.
        seen = [
            0 if stale else hash(frozenset(cells)) for stale, cells in zip(machine.stale, machine.seen, strict=True)
        ]
        digest.update(array("q", seen[:threads]).tobytes())
        if machine.more_state:
            digest.update(repr([say() for say in machine.more_state]).encode())
        return digest.digest()

    def _fair(self, begin: int) -> bool:
        """Has everybody run in the circle that could have?"""
        circle = [choice for choice in self.path[begin:] if choice.state]
        could = frozenset[int]().union(*(choice.runnable for choice in circle))
        return could <= {choice.alternatives[choice.index] for choice in circle}

    def end(self, _machine: SteppedMachine, /) -> None:
        """Back to the last choice with an alternative left."""
        self.runs += 1
        path = self.path
        while path and path[-1].index + 1 == len(path[-1].alternatives):
            self.on_path.pop(path.pop().state, None)
        if path:
            path[-1].index += 1
        else:
            self.exhausted = True

    def outlook(self, _schedules: int, /) -> str:
        """Schedules that are cut off count as much as others."""
        outlook = left(self.runs, ((choice.index, len(choice.alternatives)) for choice in self.path))
        return f"{self.states:,} states, {outlook}"

    def claim(self, _schedules: int, /) -> Claim:
        """Exhausted or not."""
        caveat = f"numbers that grew alike at {SATURATED} pauses in a row counted as one"
        caveats = (caveat,) if self.local.saturated else ()
        if self.exhausted:
            return Claim(Kind.PROVED, self.name, Seen.STATES, self.states, caveats=caveats)
        return Claim(Kind.UNDECIDED, self.name, Seen.STATES, self.states, reason="more are left", caveats=caveats)
