"""Safepoints: polls, system calls, blocking; and what each does to the P while the world is being stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCscan
from mutator.world import (
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GSYSCALL,
    GWAITING,
    MRECORD,
    PGCSTOP,
    PIDLE,
    PRUNNING,
    PSYSCALL,
    SCHED,
    STACK_PREEMPT,
    G,
    P,
)
from tests.machines import Watching
from workbuf.events import Event
from workbuf.machine import Aborted
from workbuf.throw import Throw


if TYPE_CHECKING:
    from tests.worlds import Bench


@pytest.fixture(name="m")
def _m(bench: Bench) -> AuditedM:
    """A mutator whose goroutine runs."""
    return bench.start(bench.mutators[0])


def pstatus(bench: Bench, m: AuditedM) -> int:
    """The status of an M's own P."""
    return bench.peek(m.ownp + P.status)


def sched(bench: Bench, field: str) -> int:
    """A word of `sched`."""
    return bench.peek(bench.world.sched + SCHED.offsets[field])


def setsched(bench: Bench, **fields: int) -> None:
    """Set words of `sched`."""
    for field, value in fields.items():
        bench.machine.poke(bench.world.sched + SCHED.offsets[field], value)


def requests(bench: Bench, m: AuditedM) -> tuple[int, int, int]:
    """What has been asked of an M's goroutine: preempt, preemptscan, stackguard."""
    return bench.g(m.curg, "preempt"), bench.g(m.curg, "preemptscan"), bench.g(m.curg, "stackguard")


def test_a_poll_that_nobody_asked_for_does_nothing(bench: Bench, m: AuditedM) -> None:
    """The goroutine runs on and its stack stays as valid or invalid as it was."""
    bench.machine.poke(m.curg + G.gcscanvalid, 1)

    m.poll()

    assert m.readgstatus(m.curg) == GRUNNING
    assert bench.g(m.curg, "gcscanvalid") == 1


def test_a_poll_ends_in_a_run_that_was_aborted(bench: Bench, m: AuditedM) -> None:
    """So a program that allocates nothing ends too."""
    bench.machine.abort()

    with pytest.raises(Aborted):
        m.poll()


def test_a_poll_while_locks_are_held_throws(bench: Bench, m: AuditedM) -> None:
    """Between acquirem and releasem there is no safepoint."""
    bench.gcm.preemptone(m.curg)
    m.locks = 1

    with pytest.raises(Throw, match="newstack: preempted while holding locks"):
        m.poll()


def test_a_request_to_stop_that_is_over_costs_one_turn(bench: Bench, m: AuditedM) -> None:
    """The world is running again: the goroutine keeps its P, and the request is taken back."""
    bench.gcm.preemptone(m.curg)
    assert requests(bench, m) == (1, 0, STACK_PREEMPT)

    m.poll()

    assert requests(bench, m) == (0, 0, 0)
    assert m.readgstatus(m.curg) == GRUNNING
    assert (m.p, pstatus(bench, m)) == (m.ownp, PRUNNING)


def test_a_goroutine_asked_to_scan_itself_does_so_at_its_next_poll(bench: Bench, m: AuditedM) -> None:
    """It holds its own scan bit meanwhile, its roots end in its own M's cache, and it runs on."""
    p = bench.leaf()
    bench.machine.poke(m.call(1), p)
    bench.phase(GCscan)
    assert not bench.gcm.stopg(m.curg)
    assert requests(bench, m) == (1, 1, STACK_PREEMPT)
    seen: list[int] = []

    class Seeing(AuditedM):
        """Looks at the status while it scans."""

        def scanstack(self, gp: int) -> None:
            """Note it."""
            seen.append(self.readgstatus(gp))
            super().scanstack(gp)

    bench.again(m, Seeing).poll()

    assert seen == [GWAITING | GSCAN]
    assert bench.g(m.curg, "gcworkdone") == 1
    assert bench.marked(p) == [True]
    assert bench.look.entries(bench.look.cache(m.record)) == [p]
    assert requests(bench, m) == (0, 0, 0)
    assert m.readgstatus(m.curg) == GRUNNING
    # It runs, so what was scanned is not valid any more.
    assert bench.g(m.curg, "gcscanvalid") == 0


def test_a_goroutine_about_to_scan_itself_waits_for_who_scans_it_already(bench: Bench, m: AuditedM) -> None:
    """The collector may meet it waiting and take the bit first; the second scan finds a valid one (K-14)."""
    bench.machine.poke(m.call(1), bench.leaf())
    bench.phase(GCscan)
    bench.gcm.stopg(m.curg)
    gcm = bench.gcm
    restart: list[bool] = []

    class Late(AuditedM):
        """Is overtaken between its change to waiting and its own scan bit."""

        def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
            """Be overtaken, once."""
            if not restart:
                restart.append(gcm.stopg(gp))
            return super().castogscanstatus(gp, old, new)

    late = bench.again(m, Late, Watching(bench.port, 100, lambda turn: turn == 3 and gcm.restartg(m.curg)))
    late.poll()

    assert restart == [True]
    assert len(late.port.pauses) == 3
    assert m.readgstatus(m.curg) == GRUNNING
    assert bench.look.cache(m.record) == 0
    assert bench.held(bench.look.cache(gcm.record)) == 1


def test_a_system_call_lets_go_of_the_p_and_comes_back_to_it(bench: Bench, m: AuditedM) -> None:
    """In between the M has no P, the goroutine counts as in a system call, and nobody took anything."""
    m.entersyscall()
    assert (m.p, pstatus(bench, m), m.readgstatus(m.curg)) == (0, PSYSCALL, GSYSCALL)

    m.exitsyscall()
    assert (m.p, pstatus(bench, m), m.readgstatus(m.curg)) == (m.ownp, PRUNNING, GRUNNING)


def test_a_stop_takes_the_p_of_an_m_in_a_system_call(bench: Bench, m: AuditedM) -> None:
    """It does not wait for the call; who returns from it after the start finds the P idle and takes it the slow way."""
    bench.start(bench.gcm)
    m.entersyscall()

    bench.gcm.stoptheworld()
    assert pstatus(bench, m) == PGCSTOP
    bench.gcm.starttheworld()
    assert pstatus(bench, m) == PIDLE

    watching = Watching(bench.port, 1)
    again = bench.again(m, through=watching)
    again.exitsyscall()
    assert (again.p, pstatus(bench, m), m.readgstatus(m.curg)) == (m.ownp, PRUNNING, GRUNNING)
    assert (Event.SYSCALL_END, 1, 0, 0) in watching.events


def test_a_system_call_entered_while_the_world_stops_counts_itself(bench: Bench, m: AuditedM) -> None:
    """The stop has not seen the P in the call and waits for it (Go's entersyscall_gcwait)."""
    setsched(bench, gcwaiting=1, stopwait=2)

    m.entersyscall()

    assert (pstatus(bench, m), sched(bench, "stopwait"), sched(bench, "stopnote")) == (PGCSTOP, 1, 0)


def test_the_last_p_to_stop_wakes_the_stopper(bench: Bench, m: AuditedM) -> None:
    """Once: a second wake-up would throw."""
    setsched(bench, gcwaiting=1, stopwait=1)

    m.entersyscall()

    assert (sched(bench, "stopwait"), sched(bench, "stopnote")) == (0, 1)


def test_a_system_call_entered_after_the_count_is_left_alone(bench: Bench, m: AuditedM) -> None:
    """With stopwait 0 the stopper has seen this P in the call already."""
    setsched(bench, gcwaiting=1, stopwait=0)

    m.entersyscall()

    assert (pstatus(bench, m), sched(bench, "stopwait"), sched(bench, "stopnote")) == (PSYSCALL, 0, 0)


@pytest.mark.parametrize(("waiting", "status"), [(0, PIDLE), (1, PGCSTOP)])
def test_releasep_gives_the_p_to_whoever_wants_it(bench: Bench, m: AuditedM, waiting: int, status: int) -> None:
    """Idle in a running world; stopped, and counted, in one that is being stopped."""
    setsched(bench, gcwaiting=waiting, stopwait=waiting)

    m.releasep()

    assert (m.p, pstatus(bench, m)) == (0, status)
    assert (sched(bench, "stopwait"), sched(bench, "stopnote")) == (0, waiting)


def test_preemptone_poisons_the_guard(bench: Bench, m: AuditedM) -> None:
    """And does not ask for a scan."""
    bench.gcm.preemptone(m.curg)

    assert requests(bench, m) == (1, 0, STACK_PREEMPT)
    assert bench.peek(m.stackguard) == STACK_PREEMPT


def test_gopark_blocks_until_goready(bench: Bench) -> None:
    """The partner can take the lock only when the goroutine counts as waiting; its P is idle while it blocks."""
    lock = bench.machine.word(0, "lock")
    order = bench.machine.word(0, "order")
    seen: dict[str, tuple[int, int, int]] = {}
    gp = bench.mutators[0].curg

    def blocks(m: AuditedM) -> None:
        def program(m: AuditedM) -> None:
            m.port.lock(lock)
            m.port.store(order, 1)
            m.gopark(lock)
            seen["after"] = (m.readgstatus(gp), m.port.load(m.ownp + P.status), int(m.p == m.ownp))

        m.mstart(program)

    def readies(m: AuditedM) -> None:
        def program(m: AuditedM) -> None:
            while not m.port.load(order):
                m.port.check()
            m.port.lock(lock)
            seen["waiting"] = (m.readgstatus(gp), 0, 0)
            m.port.unlock(lock)
            partner = m.port.words[gp + G.m] + MRECORD.p
            p = m.port.words[partner]
            while m.port.load(p + P.status) != PIDLE:
                m.port.check()
            m.goready(gp)

        m.mstart(program)

    bench.run((bench.model.mutators[0], blocks), (bench.model.mutators[1], readies))

    assert seen == {"waiting": (GWAITING, 0, 0), "after": (GRUNNING, PRUNNING, 1)}
    assert bench.g(gp, "waitsince") > 0


def test_goready_of_a_goroutine_that_does_not_wait_throws(bench: Bench, m: AuditedM) -> None:
    """It was readied already."""
    gp = bench.mutators[1].curg
    assert bench.gcm.readgstatus(gp) == GRUNNABLE

    with pytest.raises(Throw, match="waiting for Gwaiting but is Grunnable"):
        m.goready(gp)


def test_the_run_asks_its_programs_to_stop(bench: Bench, m: AuditedM) -> None:
    """One word, which every program looks at."""
    assert not m.stop_requested()
    bench.machine.poke(m.stopping, 1)
    assert m.stop_requested()
