"""Scenario: the mark-completion counter of Go 1.5 to 1.11, as in go-weave's model.  (K-23, #26903; go-weave markterm.go.)

Two workers share a count of workers, a count of grey buffers and a flag.  A worker takes a buffer, may put one back, and
leaves; the one that brings the worker count to 0 and reads no grey declares the mark done.  Whether it reads grey before
or after its decrement, another worker can take the last buffer and put it back in between: both orders are wrong.

The fixed variant holds a lock over the decision and looks again under it, as Go's distributed termination does for the
global queue.

Modelled.  Two workers and counts, no buffers.  Not modelled.  The flush of caches that goes with it (raggedbarrier).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import Scenario, Variant


if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

GREY = 3
"""Buffers to begin with."""
WORKERS = 2


class Worker:
    """One worker: reads grey, then leaves."""

    def __init__(self, port: Port, workers: int, grey: int, done: int, lock: int) -> None:
        self.port = port
        self.workers = workers
        self.grey = grey
        self.done = done
        self.lock = lock

    def take(self) -> None:
        """Take a buffer; of several take two and put one back, a moment later."""
        port = self.port
        while True:
            n = port.load(self.grey)
            if n == 0:
                return
            if port.cas(self.grey, n, n - min(n, 2)):
                break
        if n > 1:
            port.xadd(self.grey, 1)

    def leave(self) -> bool:
        """Stop working; True if that ends the mark."""
        seen = self.port.load(self.grey)
        return self.port.xadd(self.workers, -1) == 0 and seen == 0

    def run(self, rounds: Iterable[int]) -> None:
        """Work until a worker declares the mark done."""
        port = self.port
        for _ in rounds:
            if port.load(self.done):
                return
            port.xadd(self.workers, 1)
            self.take()
            if self.leave():
                port.store(self.done, 1)
                assert port.load(self.grey) == 0, "done with grey buffers left"
                return


class DecrementFirst(Worker):
    """The other order: leaves, then reads grey."""

    def leave(self) -> bool:
        return self.port.xadd(self.workers, -1) == 0 and self.port.load(self.grey) == 0


class Locked(Worker):
    """Taking and the decision exclude each other."""

    def take(self) -> None:
        self.port.lock(self.lock)
        super().take()
        self.port.unlock(self.lock)

    def leave(self) -> bool:
        port = self.port
        port.lock(self.lock)
        last = port.xadd(self.workers, -1) == 0 and port.load(self.grey) == 0
        port.unlock(self.lock)
        return last


def markterm(kind: type[Worker]) -> Program:
    """Two workers of that kind."""

    def program(machine: SteppedMachine) -> None:
        cells = [machine.word(init, name) for name, init in (("workers", 0), ("grey", GREY), ("done", 0), ("lock", 0))]
        for i in range(WORKERS):
            rounds = machine.optional(range(GREY))
            machine.spawn(lambda port, rounds=rounds: kind(port, *cells).run(rounds), f"worker{i}")  # type: ignore[misc]

    return program


SCENARIO = Scenario(
    name="markterm",
    title="A counter of workers cannot tell when marking is complete",
    bugs=("S24", "K-23", "#26903"),
    variants={
        "failing": Variant(markterm(Worker), fails="grey buffers left"),
        "failing-decrement-first": Variant(markterm(DecrementFirst), fails="grey buffers left"),
        "fixed": Variant(markterm(Locked)),
    },
    originals={"failing": (198, 20_000)},
)
