"""The same synchronisation on real threads: nothing is lost, and everybody comes to an end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from collector.sync.barrier import Barrier
from collector.sync.cond import Cond
from collector.sync.mutex import Mutex
from collector.sync.rwmutex import RWMutex
from collector.sync.semaphore import Semaphore
from collector.sync.waitgroup import WaitGroup
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from workbuf.machine import Port

THREADS = 4
ROUNDS = 200


def test_exclusion() -> None:
    """By a mutex, tried and waited for, by a semaphore of one, and by writers among readers: no update is lost."""
    machine = HardwareMachine()
    mutex, sema, rw = Mutex(machine), Semaphore(machine, 1), RWMutex(machine)
    counts = machine.alloc(4, "count")

    def add(port: Port, k: int) -> None:
        port.words[counts + k] += 1

    def body(port: Port) -> None:
        for _ in range(ROUNDS):
            with mutex.held(port):
                add(port, 0)
            while not mutex.trylock(port):
                port.pause(Pause.OSYIELD, 1)
            add(port, 0)
            mutex.unlock(port)
            sema.acquire(port)
            add(port, 1)
            sema.release(port)
            rw.lock(port)
            add(port, 2)
            add(port, 3)
            rw.unlock(port)
            rw.rlock(port)
            assert port.words[counts + 2] == port.words[counts + 3]
            rw.runlock(port)

    for _ in range(THREADS):
        machine.spawn(body)
    machine.run()

    total = THREADS * ROUNDS
    assert [machine.peek(counts + k) for k in range(4)] == [2 * total, total, total, total]


def test_meeting_and_handing_over() -> None:
    """A barrier round after round, values through a slot under a condition, and a join of them all."""
    machine = HardwareMachine()
    mutex = Mutex(machine)
    changed, slot = Cond(machine, mutex), machine.word(0, "slot")
    barrier, group = Barrier(machine, THREADS), WaitGroup(machine)
    reached = machine.alloc(THREADS, "reached")
    taken: list[int] = []

    def meets(port: Port, k: int) -> None:
        for r in range(ROUNDS // 4):
            port.store(reached + k, r)
            barrier.wait(port)
            assert all(port.load(reached + t) >= r for t in range(THREADS))

    def gives(port: Port) -> None:
        for n in range(1, ROUNDS + 1):
            with mutex.held(port):
                while port.words[slot]:
                    changed.wait(port)
                port.words[slot] = n
                changed.broadcast(port)

    def takes(port: Port) -> None:
        for _ in range(ROUNDS):
            with mutex.held(port):
                while not port.words[slot]:
                    changed.wait(port)
                taken.append(port.words[slot])
                port.words[slot] = 0
                changed.broadcast(port)

    def starts(port: Port) -> None:
        for k in range(THREADS):
            group.go(port, partial(meets, k=k))
        group.go(port, gives)
        group.go(port, takes)
        group.wait(port)
        assert taken == [*range(1, ROUNDS + 1)]

    machine.spawn(starts)
    machine.run()


def test_too_many_threads() -> None:
    """Are told to ask for more room."""
    machine = HardwareMachine()
    sema = Semaphore(machine, 0, threads=1)
    machine.spawn(lambda port: sema.release(port) if port.sleep(sema.queue.notes, 1) else None)
    machine.spawn(sema.acquire)
    with pytest.raises(Throw, match="ask for more room"):
        machine.run()
