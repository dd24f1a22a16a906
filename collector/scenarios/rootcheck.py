"""Scenario: were all roots scanned?  The check behind "scan missed a g", as in go-weave's issue16083.go.  (K-31.)

Workers take root jobs by incrementing a number; one that leaves as the last, with no job left, takes a lock, looks
again, and verifies that every root is marked as scanned.  Go saw that check throw until November 2016 and never
understood why; go-weave's model does not show it, and nor does this one, exhausted.  `failing` is a worker that leaves
before it has marked its root, which is what the check would catch.

Modelled.  Workers that come and go until all is done, root jobs without content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.scenarios.scenario import SOUND, Scenario, Variant
from workbuf.layout import Struct


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

WORK = Struct("work", "workers", "markrootnext", "lock", "done")


class Worker:
    """One of them; `scanned` are the roots' flags, `jobs` how many there are."""

    def __init__(self, port: Port, work: int, scanned: int, jobs: int) -> None:
        self.port = port
        self.work = work
        self.scanned = scanned
        self.jobs = jobs

    def run(self, rounds: int) -> None:
        """Work for that many rounds, or until all is done."""
        port, work = self.port, self.work
        for _ in range(rounds):
            if port.load(work + WORK.done):
                return
            port.xadd(work + WORK.workers, 1)
            if self.round() == 0 and port.load(work + WORK.markrootnext) >= self.jobs:
                self.finish()

    def round(self) -> int:
        """One job, if there is one; returns how many workers are left."""
        job = self.port.xadd(self.work + WORK.markrootnext, 1) - 1
        if job < self.jobs:
            self.port.store(self.scanned + job, 1)
        return self.port.xadd(self.work + WORK.workers, -1)

    def finish(self) -> None:
        """Look again, under the lock, and verify."""
        port, work = self.port, self.work
        port.lock(work + WORK.lock)
        if port.load(work + WORK.workers) == 0 and port.load(work + WORK.markrootnext) >= self.jobs:
            for job in range(self.jobs):
                assert port.load(self.scanned + job), f"scan missed root {job}"
            port.store(work + WORK.done, 1)
        port.unlock(work + WORK.lock)


class LeavesFirst(Worker):
    """Counts itself out, then marks its root."""

    def round(self) -> int:
        """In the wrong order."""
        job = self.port.xadd(self.work + WORK.markrootnext, 1) - 1
        left = self.port.xadd(self.work + WORK.workers, -1)
        if job < self.jobs:
            self.port.store(self.scanned + job, 1)
        return left


def roots(kind: type[Worker], workers: int, jobs: int, rounds: int) -> Program:
    """So many workers, root jobs, and rounds of each worker."""

    def program(machine: SteppedMachine) -> None:
        work = WORK.allocate(machine, "work")
        scanned = machine.alloc(jobs, "scanned")
        for i in range(workers):
            machine.spawn(lambda port: kind(port, work, scanned, jobs).run(rounds), f"worker{i}")

    return program


SCENARIO = Scenario(
    name="rootcheck",
    title="The check that all roots were scanned cannot fail in Go's own model of it",
    bugs=("K-31", "#16083"),
    variants={
        "failing": Variant(roots(LeavesFirst, 2, 2, 2), fails="scan missed root"),
        "fixed": Variant(roots(Worker, 2, 1, 2)),
        "fixed322": Variant(roots(Worker, 3, 2, 2), exhaustible=False),
    },
    kind=SOUND,
    originals={"fixed322": (0, 20_000)},
)
