"""Sequential models of objects of Go's runtime: mutex, note, channel, parallel for.

The lock-free stack answers to `models.Stack`, the lists of buffers behind caches to `models.Bag`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collector.linearizability.history import Value


@dataclass(frozen=True)
class Mutex:
    """A mutex: ("lock", who) when nobody holds it, ("unlock", who) by the holder."""

    def init(self) -> Value:
        return None

    def step(self, state: Value, given: Value, _output: Value) -> tuple[bool, Value]:
        match given:
            case ("lock", who):
                return state is None, who
            case ("unlock", who):
                return bool(state == who), None
        raise ValueError(f"{given!r} is nothing that a mutex does: it knows ('lock', who) and ('unlock', who)")


@dataclass(frozen=True)
class Note:
    """A note: ("clear",), ("wake",) once after it, ("sleep",): True once it was woken, False on a time-out."""

    def init(self) -> bool:
        return False

    def step(self, state: bool, given: Value, output: Value) -> tuple[bool, bool]:  # noqa: FBT001  the state is a bool
        match given:
            case ("clear",):
                return True, False
            case ("wake",):
                return not state, True
            case ("sleep",):
                # A time-out may come although the note was woken meanwhile: nobody says how long the limit was.
                return bool(output == False) or state, state  # noqa: E712  UNSEEN is equal to everything
        raise ValueError(f"{given!r} is nothing that a note does: it knows ('clear',), ('wake',) and ('sleep',)")


@dataclass(frozen=True)
class Channel:
    """A channel of `size` slots: ("send", v) while there is room, ("recv",) the oldest.

    Without slots a send meets its receive; as one follows the other here, the value is between them for a moment.
    """

    size: int = 0

    def init(self) -> tuple[Value, ...]:
        return ()

    def step(self, state: tuple[Value, ...], given: Value, output: Value) -> tuple[bool, tuple[Value, ...]]:
        match given:
            case ("send", value):
                return len(state) < max(self.size, 1), (*state, value)
            case ("recv",):
                return bool(state) and bool(output == state[0]), state[1:]
        raise ValueError(f"{given!r} is nothing that a channel does: it knows ('send', v) and ('recv',)")


@dataclass(frozen=True)
class ParallelFor:
    """A parallel for over 0 .. n-1: ("take",) answers an index that nobody has had, ("done",) that none is left."""

    n: int

    def init(self) -> int:
        return 0

    def step(self, state: int, given: Value, output: Value) -> tuple[bool, int]:
        """The state has bit i set once index i was taken."""
        match given:
            case ("take",):
                fresh = isinstance(output, int) and 0 <= output < self.n and not state >> output & 1
                return fresh, state | 1 << output if fresh else state
            case ("done",):
                return state == (1 << self.n) - 1, state
        raise ValueError(f"{given!r} is nothing that a parallel for does: it knows ('take',) and ('done',)")

    def unseen(self, state: int, given: Value) -> list[int]:
        """A take whose answer nobody saw may have had any index that is left."""
        if given != ("take",):
            return [state] if self.step(state, given, None)[0] else []
        return [state | 1 << i for i in range(self.n) if not state >> i & 1]
