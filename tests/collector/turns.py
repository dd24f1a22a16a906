"""Collections in which one thread plays everybody: a mutator gets its turn at the collector's own steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.runtime import AuditedM
from mutator.heap import POISON
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import Bench


class Turns(AuditedM):
    """A collector at whose stamps somebody else gets a turn."""

    turn: Callable[[str], object] = staticmethod(lambda _: None)

    def stamp(self, name: str) -> None:
        """Stamp, then give the turn."""
        super().stamp(name)
        self.turn(name)


def collector(bench: Bench, **turns: Callable[[], object]) -> Any:  # noqa: ANN401
    """The collector's M, running, each turn given at the stamp of its name."""
    gcm = bench.start(bench.m(bench.model.gcm, Turns))
    gcm.turn = lambda name: turns.get(name, lambda: None)()
    return gcm


def collect(gcm: Any, force: int = 0) -> None:  # noqa: ANN401
    """A collection, and the sweep after it."""
    gcm.gcwork(force)
    gcm.bgsweep()


def freed(bench: Bench, *objects: int) -> bool:
    """Has sweep written over all of them?  Their spans may be gone, so there is no byte to ask."""
    return all(bench.peek(p // WORD) == POISON for p in objects)


def asleep(bench: Bench, i: int = 0) -> AuditedM:
    """A mutator that runs when it is woken from its system call."""
    m = bench.start(bench.mutators[i])
    m.entersyscall()
    return m


def awake(m: AuditedM, act: Callable[[AuditedM], object]) -> Callable[[], None]:
    """What a mutator does between two system calls."""

    def turn() -> None:
        m.exitsyscall()
        act(m)
        m.entersyscall()

    return turn
