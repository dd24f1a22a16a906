"""Scanning stacks, getting hold of them and letting go: scanstack, scanframeworker, stopg, restartg, gcphasework."""

from __future__ import annotations

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.stack import FRAME
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
    MRECORD,
    STACK_PREEMPT,
    G,
)
from tests.machines import Watching
from tests.worlds import Bench
from workbuf.events import Event
from workbuf.machine import WORD
from workbuf.throw import Throw


STOPPED = pytest.mark.parametrize("status", [GRUNNABLE, GSYSCALL, GWAITING])


@pytest.fixture(name="bench")
def _bench() -> Bench:
    """A model in the scan phase, with room for goroutines of the tests' own."""
    bench = Bench(goroutines=4)
    bench.phase(GCscan)
    return bench


def become(bench: Bench, gp: int, status: int) -> int:
    """Put a goroutine into a status without asking."""
    bench.machine.poke(gp + G.status, status)
    return gp


def stopped(bench: Bench, *pointers: int) -> int:
    """A goroutine whose scan bit is held, with these pointers in its frame."""
    return become(bench, bench.parked(*pointers), GWAITING | GSCAN)


def test_scanstack_takes_the_cached_buffer_and_puts_it_back(bench: Bench) -> None:
    """Threaded through every frame, unlogged on the way out of the cache and into it."""
    m = bench.gcm
    before = bench.leaf()
    b = bench.full(m, [before])
    m.cache(b)
    outer, inner = bench.leaf(), bench.leaf()
    gp = stopped(bench, outer)
    bench.frame(gp, inner, 0)

    m.scanstack(gp)

    assert bench.look.cache(m.record) == b
    assert bench.look.entries(b) == [before, inner, outer]
    assert bench.look.log(b) == [359, 0, 0, 0]
    assert bench.g(gp, "gcscanvalid") == 1


def test_scanstack_without_a_cached_buffer_leaves_the_one_it_took(bench: Bench) -> None:
    """Even when there was nothing to put into it (O-21)."""
    m = bench.gcm
    m.scanstack(stopped(bench, 0))

    b = bench.look.cache(m.record)
    assert bench.look.state(b) == (True, [80700460, 0, 0, 0], [])


def test_scanstack_of_a_goroutine_without_frames_touches_no_buffer(bench: Bench) -> None:
    """The cached one goes back as it came; where there was none there is none."""
    m = bench.gcm
    gp = become(bench, bench.world.newg("fresh"), GRUNNABLE | GSCAN)
    m.scanstack(gp)
    assert bench.look.buffers() == []

    b = m.getempty(359)
    m.cache(b)
    bench.machine.poke(gp + G.gcscanvalid, 0)
    m.scanstack(gp)
    assert bench.look.cache(m.record) == b


def test_scanstack_in_mark_termination_leaves_nothing_cached(bench: Bench) -> None:
    """What a frame leads to is scanned to the end, and the next frame begins with another buffer."""
    m, chain, other = bench.gcm, bench.chain(3), bench.chain(2)
    gp = stopped(bench, chain[0])
    bench.frame(gp, other[0])
    bench.phase(GCmarktermination)

    m.scanstack(gp)

    assert bench.marked(*chain, *other) == [True] * 5
    assert bench.look.cache(m.record) == 0
    assert bench.places() == {"empty": 1, "partial": 0, "full": 0}


@pytest.mark.parametrize("status", [GWAITING | GSCAN, GWAITING])
def test_scanstack_of_a_stack_that_is_still_valid_does_nothing(bench: Bench, status: int) -> None:
    """The goroutine has not run since; this is asked before anything else."""
    p = bench.leaf()
    gp = become(bench, bench.parked(p), status)
    bench.machine.poke(gp + G.gcscanvalid, 1)

    bench.gcm.scanstack(gp)

    assert bench.marked(p) == [False]


def test_scanstack_reports_its_frames(bench: Bench) -> None:
    """Which goroutine, and how many."""
    watching = Watching(bench.port, 1)
    gp = stopped(bench, 0)
    bench.frame(gp, 0)

    bench.again(bench.gcm, through=watching).scanstack(gp)

    assert (Event.SCANSTACK, bench.g(gp, "goid"), 2, 0) in watching.events


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (GWAITING, "scanstack - bad status"),
        (GRUNNING, "scanstack - bad status"),
        (GRUNNING | GSCAN, "scanstack: goroutine not stopped"),
        (GMORIBUND | GSCAN, "mark - bad status"),
        (GENQUEUE | GSCAN, "mark - bad status"),
    ],
)
def test_scanstack_throws_on_a_goroutine_that_is_not_held(bench: Bench, status: int, text: str) -> None:
    """The line before says which goroutine, and its status in words."""
    gp = become(bench, bench.parked(bench.leaf()), status)

    with pytest.raises(Throw) as thrown:
        bench.gcm.scanstack(gp)

    assert thrown.value.text == text
    assert f"goid= {bench.g(gp, 'goid')}" in thrown.value.printed[0]


def test_scanstack_of_a_dead_goroutine_is_nothing(bench: Bench) -> None:
    """It has no stack any more."""
    p = bench.leaf()

    bench.gcm.scanstack(become(bench, bench.parked(p), GDEAD | GSCAN))

    assert bench.marked(p) == [False]


def test_scanstack_throws_on_a_goroutine_whose_m_helps(bench: Bench) -> None:
    """That M is marking, and its goroutine would have to run."""
    m = bench.mutators[0]
    become(bench, m.curg, GWAITING | GSCAN)
    bench.machine.poke(m.record + MRECORD.helpgc, 1)

    with pytest.raises(Throw, match="can't scan gchelper stack"):
        bench.gcm.scanstack(m.curg)


def test_scanstack_throws_when_the_cache_has_been_filled_meanwhile(bench: Bench) -> None:
    """The buffer that was there would be lost."""

    class Interfering(AuditedM):
        """Caches a buffer in the middle of a stack scan."""

        def scanframeworker(self, frame: int, wbuf: int) -> int:
            """Scan, and cache another."""
            self.cache(self.getempty(359))
            return super().scanframeworker(frame, wbuf or self.getempty(359))

    m = bench.again(bench.gcm, Interfering)

    with pytest.raises(Throw, match="wbuf not nil after stack scans"):
        m.scanstack(stopped(bench, 0))


def test_scanframeworker_scans_locals_before_arguments(bench: Bench) -> None:
    """Each by its own bitmap."""
    m, gp = bench.gcm, bench.world.newg("g")
    local, scalar, argument = bench.leaf(), bench.leaf(), bench.leaf()
    cell = m.pushframe(gp, 2, m.stackmap(2, [0]), 2, m.stackmap(2, [1]))
    for i, p in enumerate((local, scalar, scalar, argument)):
        bench.machine.poke(cell + i, p)

    b = m.scanframeworker(cell - FRAME.size, 0)

    assert bench.look.entries(b) == [local, argument]
    assert bench.marked(scalar) == [False]


def test_scanframeworker_passes_a_dead_frame_by(bench: Bench) -> None:
    """The buffer comes back as it went in."""
    p = bench.leaf()
    cell = bench.frame(bench.world.newg("g"), p)
    bench.machine.poke(cell - FRAME.size + FRAME.continpc, 0)
    b = bench.gcm.getempty(359)

    assert bench.gcm.scanframeworker(cell - FRAME.size, b) == b
    assert bench.gcm.scanframeworker(cell - FRAME.size, 0) == 0
    assert bench.marked(p) == [False]


@pytest.mark.parametrize(("field", "what"), [("localsmask", "locals"), ("argsmask", "args")])
def test_a_frame_without_a_bitmap_throws(bench: Bench, field: str, what: str) -> None:
    """Words of which nobody knows what they are."""
    m, gp = bench.gcm, bench.world.newg("g")
    mask = m.stackmap(1, [0])
    cell = m.pushframe(gp, 1, mask, 1, mask)
    bench.machine.poke(cell - FRAME.size + FRAME.offsets[field], 0)

    with pytest.raises(Throw, match="missing stackmap") as thrown:
        m.scanframeworker(cell - FRAME.size, 0)

    at = (cell + (what == "args")) * WORD
    assert thrown.value.printed == (f"runtime: frame {cell - FRAME.size} untyped {what} {at:#x}+0x8",)


@pytest.mark.parametrize(
    ("phase", "scans"), [(GCoff, False), (GCscan, True), (GCmark, False), (GCmarktermination, True)]
)
def test_gcphasework_scans_when_the_phase_says_so_and_is_done_in_any(bench: Bench, phase: int, *, scans: bool) -> None:
    """Scan and mark termination."""
    p = bench.leaf()
    gp = stopped(bench, p)
    bench.phase(phase)

    bench.gcm.gcphasework(gp)

    assert bench.marked(p) == [scans]
    assert bench.g(gp, "gcworkdone") == 1


def test_gcphasework_throws_at_a_phase_that_is_none(bench: Bench) -> None:
    """It knows all seven."""
    bench.phase(7)

    with pytest.raises(Throw, match="gcphasework in bad gcphase"):
        bench.gcm.gcphasework(stopped(bench))


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
