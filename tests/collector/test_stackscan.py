"""Scanning stacks: scanstack, scanframeworker, gcphasework."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.stack import FRAME
from mutator.world import (
    GDEAD,
    GENQUEUE,
    GMORIBUND,
    GRUNNABLE,
    GRUNNING,
    GSCAN,
    GWAITING,
    MRECORD,
    G,
)
from tests.collector.stacks import become, scanning, stopped
from tests.machines import Watching
from workbuf.events import Event
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from tests.worlds import Bench


@pytest.fixture(name="bench")
def _bench() -> Bench:
    return scanning()


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
