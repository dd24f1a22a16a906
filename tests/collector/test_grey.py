"""Greying and scanning: what is marked, what is queued, and who owns the buffer afterwards.  Vector W7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM
from mutator.heap import POISON, SPAN
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from tests.worlds import Bench, Noting
from workbuf.buffer import NOBJ
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterable

DRAINING = (GCmark, GCmarktermination)


def grey(bench: Bench, objects: Iterable[int], wbuf: int, m: AuditedM | None = None) -> int:
    """Grey them one after the other, as if each had been found unmarked at address 0; returns the buffer owned then."""
    m = m or bench.gcm
    for p in objects:
        base, hbits, bits = m.heapBitsForObject(p)
        wbuf = m.greyobject(base, 0, 0, hbits, bits, wbuf)
    return wbuf


def allpointers(bench: Bench, n: int) -> int:
    """The cell of a bitmap of `n` pointers."""
    return bench.gcm.stackmap(n, range(n))


def test_w7_the_24th_object_goes_into_a_second_buffer(bench: Bench) -> None:
    """W7: 23 fit; then the first buffer is put full (358), a new one is taken (359) and holds one."""
    objects = [bench.leaf() for _ in range(24)]
    first = bench.gcm.getempty(359)

    assert grey(bench, objects[:23], first) == first
    assert bench.look.state(first) == (True, [359, 0, 0, 0], objects[:23])

    second = grey(bench, objects[23:], first)

    assert second != first
    assert bench.look.state(first) == (False, [358, 359, 0, 0], objects[:23])
    assert bench.look.state(second) == (True, [359, 0, 0, 0], objects[23:])
    assert bench.look.lists() == {"empty": [], "partial": [], "full": [first]}
    assert bench.marked(*objects) == [True] * 24
    assert bench.problems(second) == []


@pytest.mark.parametrize(("wbufsize", "room"), [(256, 23), (112, 5), (512, 55), (1024, 119)])
def test_a_buffer_holds_what_its_size_allows(wbufsize: int, room: int) -> None:
    """The overflow comes with the first object that does not fit, whatever the size."""
    bench = Bench(wbufsize=wbufsize)
    b = bench.gcm.getempty(359)

    assert grey(bench, [bench.leaf() for _ in range(room)], b) == b
    assert grey(bench, [bench.leaf()], b) != b
    assert bench.held(b) == room


def test_w9_the_next_grey_publishes_a_full_cached_buffer(bench: Bench) -> None:
    """W9: comes out of the cache as it is; an object already marked leaves it alone, a white one replaces it: 358, 359."""
    m = bench.gcm
    b = bench.full(m, [bench.leaf() for _ in range(23)])
    m.cache(b)
    assert m.getpartialorempty(460) == b

    assert grey(bench, bench.look.entries(b), b) == b
    second = grey(bench, [bench.leaf()], b)

    assert bench.look.log(b)[:2] == [358, 359]
    assert bench.look.log(second)[0] == 359


def test_a_marked_object_is_left_alone(bench: Bench) -> None:
    """Neither queued a second time nor written to."""
    p, b = bench.leaf(), bench.gcm.getempty(359)
    grey(bench, [p], b)

    grey(bench, [p, p], b)

    assert bench.look.entries(b) == [p]


def test_an_object_without_pointers_is_marked_and_never_queued(bench: Bench) -> None:
    """There is nothing to scan in it."""
    p, b = bench.noscan(), bench.gcm.getempty(359)

    grey(bench, [p], b)

    assert bench.marked(p) == [True]
    assert bench.held(b) == 0


def test_marking_precedes_queuing(bench: Bench) -> None:
    """The other way round an object could be scanned while it still looks white (I8)."""
    noting = Noting(bench.port)
    m = bench.again(bench.gcm, through=noting)
    p, b = bench.leaf(), m.getempty(359)
    _, hbits, _ = m.heapBitsForObject(p)

    grey(bench, [p], b, m)

    order = noting.order(hbits // WORD, b + NOBJ)
    assert [how for how in order if how[0] != "load"] == [("or8", hbits // WORD), ("plain", b + NOBJ)]


def test_two_markers_that_both_see_white_queue_the_object_twice(bench: Bench) -> None:
    """The test and the set are two steps; the object is scanned twice and nothing else comes of it (I15)."""
    child = bench.leaf()
    p, b = bench.obj(child), bench.gcm.getempty(359)
    base, hbits, stale = bench.gcm.heapBitsForObject(p)
    for _ in range(2):
        bench.gcm.greyobject(base, 0, 0, hbits, stale, b)
    assert bench.look.entries(b) == [p, p]

    bench.phase(GCmark)
    bench.gcm.drainworkbuf(b, all=False)

    assert bench.gcm.scanned == 3
    assert bench.marked(p, child) == [True, True]


@pytest.mark.parametrize("off", [1, 4, 7])
def test_an_object_that_is_not_aligned_throws(bench: Bench, off: int) -> None:
    """Something has computed a base that can be none."""
    p, b = bench.leaf(), bench.gcm.getempty(359)
    _, hbits, bits = bench.gcm.heapBitsForObject(p)

    with pytest.raises(Throw) as thrown:
        bench.gcm.greyobject(p + off, 0, 0, hbits, bits, b)

    assert str(thrown.value) == "fatal error: greyobject: obj not pointer-aligned"
    assert bench.marked(p) == [False]


def test_a_pointer_to_a_slot_that_holds_no_object_throws(bench: Bench) -> None:
    """Go cannot see this; the line says where the pointer was."""
    p, q = bench.leaf(), bench.leaf()
    free = q + (q - p)  # slots are taken in ascending order, and this is the next
    _, hbits, bits = bench.gcm.heapBitsForObject(free)

    with pytest.raises(Throw) as thrown:
        bench.gcm.greyobject(free, q, 8, hbits, bits, bench.gcm.getempty(359))

    assert thrown.value.text == "found bad pointer in Go heap"
    where, source, target = thrown.value.printed
    assert where == f"runtime: found obj at *({q:#x}+0x8)"
    assert source.startswith(f"runtime: base= {q:#x} s.start=")
    assert source.endswith("bits= 0001")
    assert target.startswith(f"runtime: obj= {free:#x} s.start=")
    assert target.endswith("bits= 0000")


def test_scanobject_greys_what_its_pointer_words_name(bench: Bench) -> None:
    """Not its scalars, whatever they look like; nil, addresses outside the heap and free pages are passed over."""
    pointers = [bench.leaf() for _ in range(3)]
    inside = bench.obj(0, 0, 0)
    scalar = bench.leaf()
    freepage = bench.world.heap.arena_end - 8
    p = bench.obj(pointers[0], 0, inside + 16, bench.world.bss.slot(0), freepage, *pointers[1:], words=9)
    bench.machine.poke(p // WORD + 7, scalar)
    b = bench.gcm.getempty(359)

    assert bench.gcm.scanobject(p, b) == b

    assert bench.look.entries(b) == [pointers[0], inside, *pointers[1:]]
    assert bench.marked(scalar, p) == [False, False]


@pytest.mark.parametrize("off", [8, 15, 23])
def test_scanobject_finds_the_object_around_an_interior_pointer(bench: Bench, off: int) -> None:
    """The whole of it is scanned, by its own mask."""
    children = [bench.leaf() for _ in range(3)]
    p = bench.obj(*children)
    b = bench.gcm.getempty(359)

    assert bench.gcm.scanobject(p + off, b) == b
    assert bench.look.entries(b) == children


def test_scanobject_of_what_is_no_heap_object_does_nothing(bench: Bench) -> None:
    """Outside the arena on either side, in pages without a span, behind a span's last object."""
    m, world = bench.gcm, bench.world
    bench.setbss(bench.leaf())
    span = m.spanOf(bench.obj(words=601))
    behind = bench.peek(span + SPAN.limit)
    assert behind % world.heap.classes.page_size
    b = m.getempty(359)

    for p in (
        world.bss.base * WORD,
        world.heap.arena_start - 8,
        world.heap.arena_end,
        world.heap.arena_end - 8,
        behind,
    ):
        assert m.scanobject(p, b) == b

    assert (bench.held(b), m.scanned) == (0, 0)


def test_scanobject_of_an_object_that_names_itself_and_one_thing_twice(bench: Bench) -> None:
    """Each is queued once."""
    child = bench.leaf()
    p = bench.obj(0, child, child)
    bench.machine.poke(p // WORD, p)
    b = bench.gcm.getempty(359)

    bench.gcm.scanobject(p, b)

    assert bench.look.entries(b) == [p, child]


def test_scanobject_reads_masks_of_more_than_one_word(bench: Bench) -> None:
    """An object of 200 words, with pointers on either side of the bitmap's word boundaries."""
    at = [0, 63, 64, 127, 128, 199]
    children = [bench.leaf() for _ in at]
    p = bench.gcm.mallocgc(200 * WORD, sum(1 << i for i in at))
    for i, child in zip(at, children, strict=True):
        bench.machine.poke(p // WORD + i, child)
    b = bench.gcm.getempty(359)

    bench.gcm.scanobject(p, b)

    assert bench.look.entries(b) == children


def test_a_pointer_behind_a_spans_last_object_leads_nowhere(bench: Bench) -> None:
    """What is left at the end of a span is no object."""
    small = bench.gcm.mallocgc(48, 1)
    limit = bench.peek(bench.gcm.spanOf(small) + SPAN.limit)
    assert limit % 1024, "objects that leave no rest at the end of their span"
    b = bench.gcm.getempty(359)

    bench.gcm.scanobject(bench.obj(limit), b)

    assert bench.held(b) == 0


def test_scanning_a_freed_object_throws(bench: Bench) -> None:
    """Its words are poison, and poison is a pointer that nobody stores."""
    p = bench.obj(POISON)

    with pytest.raises(Throw) as thrown:
        bench.gcm.scanobject(p, bench.gcm.getempty(359))

    assert thrown.value.text == "use after free"
    assert thrown.value.printed[0] == f"runtime: found obj at *({p:#x}+0x0)"
    assert thrown.value.printed[2] == f"runtime: obj= {POISON:#x} lies in no span"


def test_scanblock_in_the_scan_phase_gives_the_buffer_back(bench: Bench) -> None:
    """One level deep; without a buffer it takes one (80700460), and the caller owns it afterwards."""
    child = bench.leaf()
    p = bench.obj(child)
    bench.setbss(p)
    bss = bench.world.bss
    bench.phase(GCscan)

    b = bench.gcm.scanblock(bss.base * WORD, bss.n * WORD, bss.mask, 0)

    assert bench.look.state(b) == (True, [80700460, 0, 0, 0], [p])
    assert bench.marked(p, child) == [True, False]
    assert bench.gcm.scanblock(bss.base * WORD, bss.n * WORD, bss.mask, b) == b
    assert bench.problems(b) == []


def test_scanblock_reads_bitmaps_of_more_than_one_cell() -> None:
    """Every 64 words, and the rest."""
    bench = Bench(bss=130)
    objects = {i: bench.leaf() for i in (0, 63, 64, 127, 129)}
    bss = bench.world.bss
    for i, p in objects.items():
        bench.machine.poke(bss.base + i, p)
    bench.phase(GCscan)

    b = bench.gcm.scanblock(bss.base * WORD, bss.n * WORD, bss.mask, 0)

    assert bench.look.entries(b) == list(objects.values())


def test_scanblock_takes_the_cached_buffer_first(bench: Bench) -> None:
    """It comes unlogged."""
    m = bench.gcm
    b = m.getempty(359)
    m.cache(b)
    bench.phase(GCscan)

    assert m.scanblock(bench.world.bss.base * WORD, WORD, bench.world.bss.mask, 0) == b
    assert bench.look.log(b) == [359, 0, 0, 0]
    assert bench.look.cache(m.record) == 0


@pytest.mark.parametrize("phase", DRAINING)
def test_scanblock_in_later_phases_consumes_the_buffer(bench: Bench, phase: int) -> None:
    """Everything that stays in its own buffer is scanned; what others have queued is theirs."""
    nodes = bench.chain(10)
    other = bench.full(bench.gcm, [bench.obj(white := bench.leaf())])
    bench.gcm.putfull(other, 947)
    bench.setbss(nodes[0])
    bench.phase(phase)

    assert bench.gcm.scanblock(bench.world.bss.base * WORD, WORD, bench.world.bss.mask, 0) == 0

    assert bench.marked(*nodes) == [True] * 10
    assert bench.marked(white) == [False]
    assert bench.look.listed("full") == [other]
    (drained,) = bench.look.listed("empty")
    assert bench.look.log(drained) == [496, 80700460, 0, 0]
    assert bench.problems() == []


@pytest.mark.parametrize("phase", DRAINING)
def test_scanblock_of_nothing_drains_everything(bench: Bench, phase: int) -> None:
    """Full, partial and what they lead to; it ends in the barrier."""
    nodes = bench.chain(60)
    full, partial = bench.full(bench.gcm, nodes[:1]), bench.full(bench.gcm, [bench.obj(far := bench.leaf())])
    bench.gcm.putfull(full, 947)
    bench.gcm.putpartial(partial, 670)
    bench.setwork(nproc=1, nwait=0)
    bench.phase(phase)

    assert bench.gcm.scanblock(0, 0, 0, 0) == 0

    assert bench.marked(*nodes, far) == [True] * 61
    assert bench.places()["full"] == bench.places()["partial"] == 0
    assert bench.look.work("nwait") == 1
    assert bench.problems() == []


def test_scanblock_refuses_a_heap_object_in_the_scan_phase(bench: Bench) -> None:
    """There objects are greyed and not scanned."""
    bench.phase(GCscan)

    with pytest.raises(Throw, match=r"scanblock: In GCscan phase and inheap is true\."):
        bench.gcm.scanblock(bench.leaf(), WORD, 0, 0)


def test_scanblock_takes_a_masked_block_in_the_scan_phase_wherever_it_lies(bench: Bench) -> None:
    """With a bitmap it is no heap object, whatever its address."""
    p = bench.obj(child := bench.leaf())
    bench.phase(GCscan)

    b = bench.gcm.scanblock(p, WORD, allpointers(bench, 1), 0)

    assert bench.look.entries(b) == [child]


@pytest.mark.parametrize("phase", [GCoff, GCscan])
def test_draining_is_for_the_marking_phases(bench: Bench, phase: int) -> None:
    """Whoever comes too early or too late is stopped."""
    bench.phase(phase)

    with pytest.raises(Throw, match="scanblock phase incorrect"):
        bench.gcm.scanblock(0, 0, 0, 0)


def test_scanblock_with_a_second_buffer_in_the_cache_throws(bench: Bench) -> None:
    """Given a buffer it does not look into the cache, and what is there would be forgotten."""
    m = bench.gcm
    m.cache(m.getempty(359))
    bench.phase(GCmark)

    with pytest.raises(Throw, match="unexpected currentwbuf"):
        m.scanblock(bench.world.bss.base * WORD, WORD, bench.world.bss.mask, m.getempty(359))


class Recaching(AuditedM):
    """Leaves a buffer in the cache while it drains."""

    def drainworkbuf(self, wbuf: int, *, all: bool) -> None:  # noqa: A002  as in Drain
        """Drain, then forget a buffer."""
        super().drainworkbuf(wbuf, all=all)
        self.cache(self.getempty(359))


def test_scanblock_checks_the_cache_when_it_is_done() -> None:
    """Work left in a cache is work forgotten (I4)."""
    bench = Bench(Recaching)
    bench.phase(GCmark)

    with pytest.raises(Throw, match="unexpected currentwbuf"):
        bench.gcm.scanblock(bench.world.bss.base * WORD, WORD, allpointers(bench, 1), 0)
