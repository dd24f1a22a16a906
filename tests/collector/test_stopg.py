"""Getting hold of a goroutine, to scan its stack, and letting it go: stopg, restartg, scangoroutine."""

from __future__ import annotations

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCscan
from mutator.world import (
    GCOPYSTACK,
    GDEAD,
    GENQUEUE,
    GMORIBUND,
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GSYSCALL,
    GWAITING,
    STACK_PREEMPT,
    G,
)
from tests.collector.stacks import become, scanning
from tests.machines import Watching
from tests.worlds import Bench
from workbuf.throw import Throw


STOPPED = pytest.mark.parametrize("status", [GRUNNABLE, GSYSCALL, GWAITING])


@pytest.fixture(name="bench")
def _bench() -> Bench:
    return scanning()


@STOPPED
def test_stopg_scans_a_goroutine_that_does_not_run(bench: Bench, status: int) -> None:
    """On the spot; the caller holds the scan bit until restartg."""
    p = bench.leaf()
    gp = become(bench, bench.parked(p), status)

    assert bench.gcm.stopg(gp)
    assert bench.gcm.readgstatus(gp) == status | GSCAN
    assert bench.marked(p) == [True]
    assert bench.g(gp, "gcworkdone") == 1

    bench.gcm.restartg(gp)
    assert bench.gcm.readgstatus(gp) == status


def test_stopg_asks_a_running_goroutine_to_scan_itself(bench: Bench) -> None:
    """It does not get the scan bit, and the goroutine runs on until its next poll."""
    gp = become(bench, bench.parked(p := bench.leaf()), GRUNNING)

    assert not bench.gcm.stopg(gp)

    assert bench.gcm.readgstatus(gp) == GRUNNING
    assert [bench.g(gp, f) for f in ("preempt", "preemptscan", "stackguard")] == [1, 1, STACK_PREEMPT]
    assert bench.marked(p) == [False]


@pytest.mark.parametrize("status", [GDEAD, GWAITING | GSCAN, GRUNNING | GSCAN])
def test_stopg_leaves_the_dead_and_those_that_are_held_alone(bench: Bench, status: int) -> None:
    """Somebody else scans it, or nobody need."""
    gp = become(bench, bench.parked(p := bench.leaf()), status)

    assert not bench.gcm.stopg(gp)
    assert bench.gcm.readgstatus(gp) == status
    assert bench.marked(p) == [False]


def test_stopg_has_nothing_to_do_with_a_goroutine_that_is_done(bench: Bench) -> None:
    """For this phase."""
    gp = bench.parked(p := bench.leaf())
    bench.machine.poke(gp + G.gcworkdone, 1)

    assert not bench.gcm.stopg(gp)
    assert bench.marked(p) == [False]


def test_stopg_waits_while_a_stack_is_being_copied(bench: Bench) -> None:
    """It will be something else soon."""
    gp = become(bench, bench.parked(), GCOPYSTACK)
    watching = Watching(bench.port, 100, lambda turn: turn == 3 and become(bench, gp, GWAITING))

    assert bench.again(bench.gcm, through=watching).stopg(gp)
    assert len(watching.pauses) == 3


@pytest.mark.parametrize("status", [GMORIBUND, GENQUEUE, 77])
def test_stopg_throws_at_a_status_it_does_not_know(bench: Bench, status: int) -> None:
    """No goroutine of a running program has it."""
    gp = become(bench, bench.parked(), status)

    with pytest.raises(Throw, match="stopg: gp->atomicstatus is not valid"):
        bench.gcm.stopg(gp)


@pytest.mark.parametrize("status", [GWAITING, GRUNNING | GSCAN, GRUNNING])
def test_restartg_throws_unless_the_bit_is_held(bench: Bench, status: int) -> None:
    """A running goroutine's is never kept."""
    gp = become(bench, bench.parked(), status)

    with pytest.raises(Throw, match="restartg: unexpected status"):
        bench.gcm.restartg(gp)


def test_restartg_of_a_goroutine_that_has_died_is_nothing(bench: Bench) -> None:
    """There is nothing to give back."""
    gp = become(bench, bench.parked(), GDEAD)

    bench.gcm.restartg(gp)

    assert bench.gcm.readgstatus(gp) == GDEAD


def test_scangoroutine_of_the_dead_is_done_at_once(bench: Bench) -> None:
    """And does not look at what was on its stack."""
    gp = become(bench, bench.parked(p := bench.leaf()), GDEAD)

    bench.gcm.scangoroutine(gp)

    assert bench.g(gp, "gcworkdone") == 1
    assert bench.marked(p) == [False]


@STOPPED
def test_scangoroutine_tries_again_whatever_becomes_of_a_running_goroutine(bench: Bench, status: int) -> None:
    """It was asked to scan itself and blocks instead; in the seed a system call would keep the collector here (O-11)."""
    gp = become(bench, bench.parked(p := bench.leaf()), GRUNNING)
    watching = Watching(bench.port, 100, lambda turn: turn == 4 and become(bench, gp, status))

    bench.again(bench.gcm, through=watching).scangoroutine(gp)

    assert bench.marked(p) == [True]
    assert bench.gcm.readgstatus(gp) == status
    # The request is cancelled, so that the goroutine does not scan itself in some later phase (O-12).
    assert bench.g(gp, "preemptscan") == 0


def test_scangoroutine_notices_that_a_running_goroutine_has_died(bench: Bench) -> None:
    """Without having seen the request."""
    gp = become(bench, bench.parked(p := bench.leaf()), GRUNNING)
    watching = Watching(bench.port, 100, lambda turn: turn == 4 and become(bench, gp, GDEAD))

    bench.again(bench.gcm, through=watching).scangoroutine(gp)

    assert bench.g(gp, "gcworkdone") == 1
    assert bench.marked(p) == [False]


@pytest.mark.parametrize("field", ["preemptscan", "stackguard"])
def test_scangoroutine_asks_again_when_its_request_was_taken_back(bench: Bench, field: str) -> None:
    """By a goroutine that had not seen it and runs on: nothing else would end the wait (3c60e6e8cf)."""
    gp = become(bench, bench.parked(), GRUNNING)

    def life(turn: int) -> None:
        if turn == 2:
            bench.machine.poke(gp + G.offsets[field], 0)
        if turn == 4:
            assert [bench.g(gp, f) for f in ("preemptscan", "stackguard")] == [1, STACK_PREEMPT]
            bench.machine.poke(gp + G.gcworkdone, 1)

    watching = Watching(bench.port, 100, life)
    bench.again(bench.gcm, through=watching).scangoroutine(gp)

    assert len(watching.pauses) == 4


def test_a_goroutine_that_has_just_scanned_itself_is_not_asked_to(bench: Bench) -> None:
    """The request would stand until a later phase (O-12)."""

    class Late(AuditedM):
        """Is overtaken between its look at gcworkdone and the scan bit."""

        def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
            """Be overtaken."""
            self.port.post(gp + G.gcworkdone, 1)
            return super().castogscanstatus(gp, old, new)

    gp = become(bench, bench.parked(), GRUNNING)

    bench.again(bench.gcm, Late).scangoroutine(gp)

    assert [bench.g(gp, f) for f in ("preempt", "preemptscan", "stackguard")] == [0, 0, 0]
    assert bench.gcm.readgstatus(gp) == GRUNNING


def test_a_goroutine_that_runs_scans_itself_on_its_own_thread() -> None:
    """The collector waits for its poll; the roots end in the cache of the mutator's M.

    Or in the collector's: between waiting and taking its own scan bit the goroutine may be taken for a blocked one (K-14).
    """
    bench = Bench(mutators=1)
    p = bench.leaf()
    bench.phase(GCscan)
    gp = bench.mutators[0].curg
    ready = bench.machine.word(0, "ready")

    def mutator(m: AuditedM) -> None:
        def program(m: AuditedM) -> None:
            m.port.words[m.call(1)] = p
            m.port.store(ready, 1)
            while m.port.load(ready) == 1:
                m.poll()

        m.mstart(program)

    def collector(m: AuditedM) -> None:
        while not m.port.load(ready):
            m.port.check()
        m.scangoroutine(gp)
        m.port.store(ready, 2)

    bench.run((bench.model.mutators[0], mutator), (bench.model.gcm, collector))

    caches = [bench.look.cache(m.record) for m in (bench.mutators[0], bench.gcm)]
    assert [entry for b in caches if b for entry in bench.look.entries(b)] == [p]
    assert bench.gcm.readgstatus(gp) == GDEAD
