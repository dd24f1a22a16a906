"""Stopping and starting the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM
from mutator.chan import makechan
from mutator.world import GRUNNABLE, GRUNNING, PDEAD, PGCSTOP, PIDLE, PRUNNING, SCHED, STACK_PREEMPT, P
from tests.worlds import Bench, Noting
from workbuf.events import Event
from workbuf.machine import WORD, Pause
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable


def statuses(bench: Bench) -> list[int]:
    """The status of every P, the collector's first."""
    return [bench.peek(p + P.status) for p in bench.gcm.procs()]


def sched(bench: Bench, field: str) -> int:
    """A word of `sched`."""
    return bench.peek(bench.world.sched + SCHED.offsets[field])


def test_a_stop_takes_every_p_that_does_not_run(bench: Bench) -> None:
    """Idle ones, those in system calls, and its own; a start gives each back to where it came from."""
    m = bench.start(bench.gcm)
    bench.start(bench.mutators[0]).entersyscall()
    noting = Noting(bench.port)
    m = bench.again(m, through=noting)
    m.p = m.ownp

    m.stoptheworld()
    assert statuses(bench) == [PGCSTOP] * 3
    assert (sched(bench, "gcwaiting"), sched(bench, "stopwait")) == (1, 0)

    m.starttheworld()
    assert statuses(bench) == [PRUNNING, PIDLE, PIDLE]
    assert sched(bench, "gcwaiting") == 0
    assert [event[0] for event in noting.events] == [Event.STOP, Event.STOPPED, Event.START]


def test_a_stop_asks_everybody_who_runs_but_itself(bench: Bench) -> None:
    """Those who do not run have no guard to poison."""
    gcm = bench.start(bench.gcm)
    for m in bench.mutators:
        bench.start(m)

    gcm.preemptall()

    assert [bench.g(m.curg, "stackguard") for m in bench.mutators] == [STACK_PREEMPT] * 2
    assert bench.g(gcm.curg, "stackguard") == 0


def test_a_stop_asks_again_every_100_microseconds(bench: Bench) -> None:
    """Somebody took a first request back: without a second one the stop would wait for its next system call."""
    bench.start(bench.gcm)
    m = bench.start(bench.mutators[0])
    slept: list[tuple[int, int]] = []

    class Waiting(Noting):
        """A port on which time passes while the stopper sleeps."""

        def sleep(self, note: int, ns: int = -1, /) -> bool:
            """Twice in vain, each time with the request taken back; then the mutator stops."""
            slept.append((ns, bench.g(m.curg, "stackguard")))
            bench.machine.poke(m.stackguard, 0)
            if len(slept) < 3:
                return False
            bench.machine.poke(m.ownp + P.status, PGCSTOP)
            m.stopwait_done()
            return self.port.sleep(note, ns)

    waiting = Waiting(bench.port)
    bench.again(bench.gcm, through=waiting).stoptheworld()

    assert slept == [(100_000, STACK_PREEMPT)] * 3
    assert (Event.STOPPED, 2, 0, 0) in waiting.events
    assert sched(bench, "stopnote") == 0


def test_a_stop_names_those_whom_it_waits_for(bench: Bench) -> None:
    """The Ps that run but its own, by their numbers; not the one in a system call."""
    noting = Noting(bench.port)
    gcm = bench.again(bench.start(bench.gcm), through=noting)
    gcm.p = gcm.ownp
    bench.start(bench.mutators[0]).entersyscall()
    bench.start(bench.mutators[1])
    bench.machine.poke(bench.world.sched + SCHED.stopnote, 1)

    with pytest.raises(Throw, match="not stopped"):
        gcm.stoptheworld()
    assert noting.events == [(Event.STOP, 1, 1 << 2, 0)]


def test_a_stop_while_locks_are_held_throws(bench: Bench) -> None:
    """Whoever holds one could be waited for by those who are to stop."""
    gcm = bench.start(bench.gcm)
    gcm.locks = 1

    with pytest.raises(Throw, match="stoptheworld: holding locks"):
        gcm.stoptheworld()


def test_a_stop_that_is_woken_too_early_throws(bench: Bench) -> None:
    """The note says everybody has stopped, and somebody has not."""
    gcm = bench.start(bench.gcm)
    bench.start(bench.mutators[0])
    bench.machine.poke(bench.world.sched + SCHED.stopnote, 1)

    with pytest.raises(Throw, match="stoptheworld: not stopped"):
        gcm.stoptheworld()


@pytest.mark.parametrize("status", [PIDLE, PRUNNING, PDEAD])
def test_a_stop_that_leaves_a_p_unstopped_throws(bench: Bench, status: int) -> None:
    """The count says everybody has stopped, and a P says otherwise."""

    class Miscounting(AuditedM):
        """Counts a P that it does not stop."""

        def preemptall(self) -> None:
            """One fewer to wait for, and another M at work again."""
            bench.machine.poke(bench.mutators[0].ownp + P.status, PGCSTOP)
            self.port.words[self.sched + SCHED.stopwait] -= 1

        def procs(self) -> list[int]:
            """The second time: it has moved."""
            if not self.port.words[self.sched + SCHED.stopwait]:
                bench.machine.poke(bench.mutators[0].ownp + P.status, status)
            return super().procs()

    gcm = bench.again(bench.start(bench.gcm), Miscounting)

    with pytest.raises(Throw, match="stoptheworld: not stopped"):
        gcm.stoptheworld()


def test_an_m_that_comes_for_its_p_in_a_stopped_world_is_started_with_the_rest(bench: Bench) -> None:
    """It parks, and the start hands it its P, running."""
    gcm, m = bench.start(bench.gcm), bench.start(bench.mutators[0])
    m.entersyscall()
    gcm.stoptheworld()
    status: list[int] = []

    class Parking(AuditedM):
        """Sleeps by letting the collector go on."""

        def stopm(self) -> None:
            """Let the world start, then wake."""
            gcm.starttheworld()
            status.append(bench.peek(self.ownp + P.status))
            super().stopm()

    parking = bench.again(m, Parking)
    parking.exitsyscall()

    assert status == [PRUNNING]
    assert (parking.p, m.readgstatus(m.curg)) == (m.ownp, GRUNNING)


ROUNDS = 30


def test_nobody_moves_in_a_stopped_world(seed: int) -> None:
    """Thirty stops of six mutators that loop, block on each other and go in and out of system calls.

    Each counts its steps and raises a flag while it is between two polls: when the world has stopped no flag is up (I5)
    and no counter moves; and each moves again between two stops.
    """
    bench = Bench(mutators=6)
    bench.machine.seed = seed
    steps = bench.machine.alloc(6, "steps")
    flags = bench.machine.alloc(6, "flags")
    chan = makechan(bench.machine, "chan", bench.world.bss, 0, 0)
    stopped: list[list[int]] = []

    def step(m: AuditedM, i: int) -> None:
        m.poll()
        m.port.store(flags + i, 1)
        m.port.store(steps + i, m.port.words[steps + i] + 1)
        m.port.store(flags + i, 0)

    def loops(m: AuditedM, i: int) -> None:
        while not m.stop_requested():
            step(m, i)

    def calls(m: AuditedM, i: int) -> None:
        while not m.stop_requested():
            step(m, i)
            m.entersyscall()
            m.port.pause(Pause.USLEEP, m.port.choose(100))
            m.exitsyscall()

    def sends(m: AuditedM, i: int) -> None:
        cell = m.call(1)
        while not m.stop_requested():
            step(m, i)
            m.port.words[cell] = WORD
            m.chansend(chan, cell)
        m.port.words[cell] = 0
        m.chansend(chan, cell)

    def receives(m: AuditedM, i: int) -> None:
        cell = m.call(1)
        m.port.words[cell] = WORD
        while m.port.words[cell]:
            step(m, i)
            m.chanrecv(chan, cell)

    def collector(m: AuditedM) -> None:
        def stops(m: AuditedM) -> None:
            port = m.port
            for _ in range(ROUNDS):
                m.stoptheworld()
                before = port.hints(steps, 6)
                stopped.append([*port.hints(flags, 6), *(port.load(p + P.status) for p in m.procs())])
                port.pause(Pause.USLEEP, 200)
                assert list(port.hints(steps, 6)) == list(before)
                m.starttheworld()
                while any(port.hint(steps + i) == before[i] for i in range(6)):
                    port.pause(Pause.OSYIELD, 1)
            port.store(m.stopping, 1)

        m.mstart(stops)

    bodies: list[Callable[[AuditedM, int], None]] = [loops, loops, calls, calls, sends, receives]
    lives = [
        (record, lambda m, body=body, i=i: m.mstart(lambda m: body(m, i)))
        for i, (record, body) in enumerate(zip(bench.model.mutators, bodies, strict=True))
    ]
    bench.run((bench.model.gcm, collector), *lives)

    assert stopped == [[0] * 6 + [PGCSTOP] * 7] * ROUNDS


def test_a_start_wakes_only_those_who_parked(bench: Bench) -> None:
    """A goroutine that blocks while the world is stopped is not one of them."""
    gcm, m = bench.start(bench.gcm), bench.mutators[0]
    gcm.stoptheworld()

    gcm.starttheworld()

    assert bench.peek(m.ownp + P.status) == PIDLE
    assert m.readgstatus(m.curg) == GRUNNABLE


def test_a_stop_takes_ps_that_no_m_has() -> None:
    """Idle from the beginning, idle again afterwards."""
    bench = Bench(mutators=0, helpers=2)
    m = bench.start(bench.gcm)

    m.stoptheworld()
    assert statuses(bench) == [PGCSTOP] * 3

    m.starttheworld()
    assert statuses(bench) == [PRUNNING, PIDLE, PIDLE]
