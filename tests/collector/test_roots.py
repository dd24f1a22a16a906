"""markroot: each kind of root, what it does with its buffer, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.roots import (
    ROOT_BSS,
    ROOT_COUNT,
    ROOT_DATA,
    ROOT_FINALIZERS,
    ROOT_FLUSH_CACHES,
    ROOT_SPANS,
)
from mutator.heap import FINBLOCK, MHEAP
from mutator.phase import GCmarktermination, GCscan
from mutator.world import GWAITING, RUNTIME
from tests.worlds import Bench
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.runtime import AuditedM


BOTH = pytest.mark.parametrize("phase", [GCscan, GCmarktermination])


@pytest.fixture(name="bench")
def _bench() -> Bench:
    """A model that has a data segment, and nothing yet in it."""
    return Bench(data=4, goroutines=4)


def rooted(bench: Bench, i: int, phase: int = GCscan) -> None:
    """Execute root job `i` alone."""
    bench.phase(phase)
    bench.gcm.markroot(i)
    assert bench.problems() == []


def test_the_jobs_are_numbered_as_in_go() -> None:
    """Data, bss, finalizer queue, spans, caches, and then the goroutines."""
    jobs = (ROOT_DATA, ROOT_BSS, ROOT_FINALIZERS, ROOT_SPANS, ROOT_FLUSH_CACHES, ROOT_COUNT)
    assert jobs == (0, 1, 2, 3, 4, 5)


@BOTH
@pytest.mark.parametrize("i", [ROOT_DATA, ROOT_BSS])
def test_globals_are_scanned_by_their_bitmap(bench: Bench, i: int, phase: int) -> None:
    """One level deep in the scan phase, to the end in mark termination; the other segment is another job."""
    nodes, elsewhere = bench.chain(3), bench.leaf()
    segments = (bench.world.data, bench.world.bss)
    bench.machine.poke(segments[i].base + 1, nodes[0])
    bench.machine.poke(segments[1 - i].base + 1, elsewhere)

    rooted(bench, i, phase)

    assert bench.marked(*nodes) == [True, phase != GCscan, phase != GCscan]
    assert bench.marked(elsewhere) == [False]


@pytest.mark.parametrize(("n", "list_", "entry"), [(0, "empty", 81500670), (1, "partial", 670), (23, "full", 670)])
def test_what_is_left_goes_to_a_list_and_never_into_the_cache(n: int, list_: str, entry: int) -> None:
    """Nothing: empty, under the composite entry; some: partial; as much as fits: full."""
    bench = Bench(bss=40)
    bench.setbss(*(bench.leaf() for _ in range(n)))

    rooted(bench, ROOT_BSS)

    (b,) = bench.look.listed(list_)
    assert bench.look.log(b) == [entry, 80700460, 0, 0]
    assert bench.held(b) == n
    assert bench.look.cache(bench.gcm.record) == 0


def test_a_job_begins_with_the_ms_cached_buffer(bench: Bench) -> None:
    """And leaves it on a list, what it held before included."""
    m = bench.gcm
    b = bench.full(m, [bench.leaf(), bench.leaf()])
    m.cache(b)
    bench.setbss(bench.leaf())

    rooted(bench, ROOT_BSS)

    assert bench.look.listed("partial") == [b]
    assert bench.look.log(b) == [670, 359, 0, 0]
    assert bench.held(b) == 3


@BOTH
def test_queued_finalizers_keep_their_closure_and_their_object(bench: Bench, phase: int) -> None:
    """Every block there ever was is looked at, up to its count."""
    queued = [(bench.obj(bench.leaf()), bench.obj(bench.leaf())) for _ in range(3)]
    for fn, arg in queued:
        bench.gcm.queuefinalizer(arg, fn)
    stale = bench.leaf()
    bench.gcm.queuefinalizer(stale, stale)
    block = bench.peek(bench.world.heap.mheap + MHEAP.allfin)
    bench.machine.poke(block + FINBLOCK.cnt, 3)

    rooted(bench, ROOT_FINALIZERS, phase)

    for fn, arg in queued:
        assert bench.marked(fn, arg) == [True, True]
        children = [bench.peek(p // 8) for p in (fn, arg)]
        assert bench.marked(*children) == [phase != GCscan] * 2
    assert bench.marked(stale) == [False]


def test_an_empty_finalizer_queue_costs_no_buffer(bench: Bench) -> None:
    """There is no block, or none that holds anything."""
    rooted(bench, ROOT_FINALIZERS)

    assert bench.look.buffers() == []


@BOTH
def test_an_object_with_a_finalizer_is_not_marked_by_its_root(bench: Bench, phase: int) -> None:
    """Its closure is, in every phase; what it points to is from mark termination on, so that its last run finds it."""
    referent, closure = bench.obj(far := bench.leaf()), bench.leaf()
    p = bench.obj(referent)
    bench.gcm.setfinalizer(p, closure)
    bench.gcm.snapshotspans()

    rooted(bench, ROOT_SPANS, phase)

    assert bench.marked(closure) == [True]
    assert bench.marked(p) == [False]
    assert bench.marked(referent, far) == [phase != GCscan] * 2


def test_a_closure_outside_the_heap_is_nothing_to_mark(bench: Bench) -> None:
    """A function without captured variables is static data."""
    p = bench.leaf()
    bench.gcm.setfinalizer(p, bench.world.bss.slot(0))
    bench.gcm.snapshotspans()

    rooted(bench, ROOT_SPANS)

    assert bench.marked(p) == [False]


def unswept(bench: Bench) -> None:
    """Some span in use that nobody has swept since the last collection."""
    bench.leaf()
    bench.gcm.snapshotspans()
    bench.machine.poke(bench.world.heap.mheap + MHEAP.sweepgen, bench.gcm.sweepgen() + 2)


@BOTH
def test_a_span_that_was_not_swept_throws(bench: Bench, phase: int) -> None:
    """Its marks are of the last collection."""
    unswept(bench)

    with pytest.raises(Throw, match="gc: unswept span") as thrown:
        rooted(bench, ROOT_SPANS, phase)

    assert thrown.value.printed == ("sweep 0 2",)


def test_the_verifying_mark_lets_an_unswept_span_pass(bench: Bench) -> None:
    """It has a bit of its own."""
    unswept(bench)
    bench.machine.poke(bench.world.runtime + RUNTIME.checkmarkphase, 1)
    bench.gcm.readcheckmark()

    rooted(bench, ROOT_SPANS, GCmarktermination)


@BOTH
def test_the_caches_are_flushed_in_the_stopped_world_only(bench: Bench, phase: int) -> None:
    """In the scan phase mutators are allocating from them."""
    bench.leaf()
    mcache = bench.gcm.mcache
    spans = [bench.peek(mcache + i) for i in range(bench.gcm.nspanclasses)]
    assert any(spans)

    rooted(bench, ROOT_FLUSH_CACHES, phase)

    assert any(bench.peek(mcache + i) for i in range(bench.gcm.nspanclasses)) == (phase == GCscan)


@BOTH
def test_a_goroutines_job_scans_its_stack(bench: Bench, phase: int) -> None:
    """Every frame; afterwards it is done for this phase and nobody holds its scan bit."""
    nodes, outer = bench.chain(2), bench.leaf()
    gp = bench.parked(outer)
    bench.frame(gp, 0, nodes[0])

    rooted(bench, ROOT_COUNT + bench.g(gp, "goid"), phase)

    assert bench.marked(outer, *nodes) == [True, True, phase != GCscan]
    assert (bench.g(gp, "gcworkdone"), bench.g(gp, "gcscanvalid")) == (1, 1)
    assert bench.gcm.readgstatus(gp) == GWAITING


def test_in_the_scan_phase_two_buffers_take_turns(bench: Bench) -> None:
    """The job holds one, the stack scan caches another; the next job takes that, and so on (O-18)."""
    gs = [bench.parked(bench.leaf()) for _ in range(3)]
    for gp in gs:
        rooted(bench, ROOT_COUNT + bench.g(gp, "goid"))

    assert len(bench.look.buffers()) == 2
    (b,) = bench.look.listed("partial")
    cached = bench.look.cache(bench.gcm.record)
    assert bench.held(b) + bench.held(cached) == 3
    assert bench.look.log(b)[0] == 670


def test_a_job_beyond_the_last_goroutine_throws(bench: Bench) -> None:
    """There are as many as allgs had when the jobs were set up, or more, and never fewer."""
    n = ROOT_COUNT + bench.runtime("allglen")
    bench.gcm.setuproots(1)

    with pytest.raises(Throw, match=r"^fatal error: markroot: bad index$"):
        bench.gcm.markroot(n)


def test_every_job_counts_itself(bench: Bench) -> None:
    """Set-up zeroes the counters and says how many jobs there are; the audit reads them (I12)."""
    m: AuditedM = bench.gcm
    bench.phase(GCscan)
    n = m.setuproots(1)
    assert n == ROOT_COUNT + 3

    m.parfordo(bench.world.markfor, m.markroot)
    assert [bench.peek(bench.world.rootcounts + i) for i in range(n)] == [1] * n

    m.setuproots(1)
    assert [bench.peek(bench.world.rootcounts + i) for i in range(n)] == [0] * n
