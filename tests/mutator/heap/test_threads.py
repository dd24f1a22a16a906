"""Real threads in one heap: nothing is lost, nothing overlaps, every span is swept once."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from mutator.heap import ALLOCATED, MARKED, MSTATS, Heap, HeapLocal
from mutator.heap.audit import audit
from mutator.world import World
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import WORD


if TYPE_CHECKING:
    from workbuf.machine import Port


THREADS = 4
ROUNDS = 4


class Crowd:
    """Ms that allocate at the same time, round after round, and a collection between two rounds."""

    def __init__(self, seed: int, **sizes: int) -> None:
        self.machine = HardwareMachine(seed=seed, jitter=0.02)
        self.heap = Heap.allocate(self.machine, 1 << 24, **sizes)
        self.world = World.make(self.machine, self.heap, markfor=0, ms=THREADS + 1, gs=1)
        self.records = [self.world.newm(f"m{i}") for i in range(THREADS)]
        self.boot = HeapLocal(self.machine.boot(), self.world, self.world.newm("boot"))
        self.live: dict[int, int] = {}
        """Words of every object that is alive, by address; each word holds the object's address."""
        self.owners: set[int] = set()
        """Those of them that have a finalizer."""
        self.wanted: Counter[int] = Counter()
        """Objects whose finalizer must have been queued by now, and how often."""
        self.finalized: Counter[int] = Counter()
        """Objects whose finalizer was."""
        self.random = Random(seed)

    def round(self) -> None:
        """Every M allocates, sets finalizers, sweeps and takes finalizers off the queue."""
        made: list[dict[int, int]] = [{} for _ in self.records]
        taken: list[list[int]] = [[] for _ in self.records]
        finalizers: list[list[int]] = [[] for _ in self.records]

        def body(i: int, seed: int) -> None:
            def thread(port: Port) -> None:
                random = Random(seed)
                m = HeapLocal(port, self.world, self.records[i])
                for _ in range(150):
                    n = random.choice((1, 2, 3, 6, 16, 60, 600, random.randrange(1, 5000)))
                    p = m.mallocgc(n * WORD, random.getrandbits(n) if random.random() < 0.5 else 0)
                    assert port.hints(p // WORD, n) == [0] * n
                    port.fill(p // WORD, n, p)
                    made[i][p] = n
                    if random.random() < 0.2:
                        m.setfinalizer(p, 8)
                        finalizers[i].append(p)
                    if random.random() < 0.2:
                        m.sweepone()
                    while (queued := m.takefinalizer()) is not None:
                        taken[i].append(queued[1])

            self.machine.spawn(thread, f"m{i}")

        for i in range(THREADS):
            body(i, self.random.getrandbits(32))
        self.machine.run()
        for objects in made:
            assert not objects.keys() & self.live.keys(), "one address was given out twice"
            self.live.update(objects)
        for i in range(THREADS):
            self.finalized.update(taken[i])
            self.owners.update(finalizers[i])

    def check(self) -> None:
        """Every object holds what was stored in it, and none overlaps another."""
        for p, n in self.live.items():
            assert self.boot.port.hints(p // WORD, n) == [p] * n
        places = sorted(self.live)
        assert all(p + self.live[p] * WORD <= q for p, q in itertools.pairwise(places))

    def collect(self) -> None:
        """Mark some objects and leave the rest to be swept by the next round."""
        boot = self.boot
        boot.flushallmcaches()
        self.finish()
        kept = set(self.random.sample(sorted(self.live), len(self.live) // 2))
        for p in kept:
            _, hbits, bits = boot.heapBitsForObject(p)
            assert bits & ALLOCATED
            boot.port.or8(hbits, MARKED)
        self.machine.poke(self.heap.mstats + MSTATS.next_gc, 1 << 40)
        boot.arm_sweep()
        # One with a finalizer is kept for another round, but nobody counts on what is in it.
        self.wanted.update(self.owners - kept)
        self.owners &= kept
        self.live = {p: self.live[p] for p in kept}

    def finish(self) -> None:
        """Sweep what is left and empty the queue."""
        self.boot.finishsweep_m()
        self.finalized.update(p for _, p in iter(self.boot.takefinalizer, None))
        assert audit(self.machine, self.heap) == []


@pytest.mark.race
@pytest.mark.parametrize("sizes", [{}, {"page_size": 256, "metachunk": 256}], ids=["Go's pages", "pages of 256 bytes"])
def test_threads_that_allocate_and_sweep_together_lose_nothing(seed: int, sizes: dict[str, int]) -> None:
    """And every finalizer of an object that dies is queued exactly once."""
    crowd = Crowd(seed, **sizes)
    for _ in range(ROUNDS):
        crowd.round()
        crowd.check()
        crowd.collect()
    crowd.finish()

    crowd.check()
    assert crowd.finalized == crowd.wanted
    assert crowd.wanted
