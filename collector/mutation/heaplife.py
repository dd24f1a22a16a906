"""Race programs of the heap by one thread: objects of all kinds come and go, and at every turn the heap is what it promises.

All is done while the program is set up, and fails in its check: there are no schedules to explore.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from collector.mutation.heapshared import entries
from collector.mutation.heapworld import PAGE, Life, heap, throws
from collector.mutation.race import Race, atonce
from mutator.heap import FIN, FINALIZER, MHEAP, SPAN, SPAN_FREE, HeapLocal
from mutator.heap.sizeclass import PAGE_SIZE, SizeClasses
from workbuf.boot import BootPort
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program

FEW = 5
"""Pieces of memory that the metadata of `rounds` comes out of, at most."""
GO_SIZES = 67, 372744
"""Go's _NumSizeClasses, and the sum of its table."""
STEP = 256
"""Bytes by which the sizes grow that Go walks, at most."""
OTHER = 2
"""A kind of special that is no finalizer."""


def alone(pages: int, lives: Callable[[Life], None], m: type[HeapLocal]) -> Program:
    """What one thread does with a heap of so many pages."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world, (record,) = heap(machine, pages)
        return atonce(lambda: lives(Life(BootPort(machine), world, record, m)))

    return program


def rounds(life: Life) -> None:
    """Half of the objects go in one collection and the others in the next; every round takes the same memory."""
    reserve = []
    for _ in range(3):
        small = [life.new(16, at % 4) for at in range(18)] + [life.new(32, 9) for _ in range(5)]
        large = [life.new(WORD * words, 1 << words - 1) for words in (9, 40, 1100)] + [life.new(300)]
        life.mark(*small[::2], *large[::2])
        life.sweep()
        small = [life.new(24, 5) for _ in range(9)]
        life.mark()
        life.sweep()
        runs = [life.port.hint(span + SPAN.npages) for span in life.inuse(SPAN_FREE)]
        assert runs == [life.world.heap.npages], "pages that nobody uses are not one run"
        reserve.append((len(life.port.taken), life.port.hint(life.world.heap.mheap + MHEAP.metaat)))
    assert reserve[1] == reserve[2], "a round takes memory although the same objects were freed before"
    chunks = [n for _, n in life.port.taken if n != SPAN.size]
    assert len(chunks) < FEW, "metadata is not cut out of chunks"


def churning(life: Life) -> None:
    """Objects of all sizes come and go, so that spans' records and pages are used again for others."""
    random = Random(1)
    for _ in range(30):
        for _ in range(random.randint(1, 6)):
            size = random.choice((8, 16, 24, 32, 60, 120, 200, 300))
            life.new(-(-size // WORD) * WORD, random.choice((0, 1)))
        life.mark(*(p for p in list(life.objects) if random.random() < 0.5))
        if random.random() < 0.5:
            life.sweep()


def reclaiming(life: Life) -> None:
    """Whoever needs pages sweeps as many free as it needs and no more, before it takes any that nobody has used."""
    for _ in range(16):
        life.new(16, 1)
    for _ in range(8):
        life.new(PAGE)
    spans = len([*life.inuse()])
    life.mark()
    life.new(4 * PAGE)
    left = [span for span in life.inuse() if not life.m.isswept(span)]
    assert len(left) == spans - 4, "more spans were swept than pages were needed, or fewer"
    life.sweep()


def full(life: Life) -> None:
    """Where the pages that are free lie apart all is swept before the arena counts as full; then it does."""
    objects = [life.new(PAGE) for _ in range(life.world.heap.npages)]
    life.mark(*objects[1:8:2])
    life.new(4 * PAGE)
    life.sweep()
    assert throws("out of memory", partial(life.new, 5 * PAGE)), "there are more pages than the arena has"
    life.told()


def moving(life: Life) -> None:
    """Pages inside a free run still name a record that describes other pages by now: nothing is found there."""
    long, short, behind = life.new(6 * PAGE), life.new(PAGE), life.new(PAGE)
    life.mark(short, behind)
    life.sweep()
    life.mark(behind)
    life.sweep()
    assert long < short < behind < life.new(8 * PAGE) < life.new(8 * PAGE), "not the shortest run was cut"
    life.told()


def fitting(_: SteppedMachine) -> Callable[[], object]:
    """Go's size classes; and of all page sizes: what a span leaves over is at most an eighth, and would not do for more."""
    return classes


def classes() -> None:
    """The check of it."""
    assert (SizeClasses().count, sum(SizeClasses().sizes)) == GO_SIZES, "they are not Go's size classes"
    for page in (PAGE, 8 * PAGE, PAGE_SIZE, 4 * PAGE_SIZE):
        of = SizeClasses(page)
        slots, grain = [*zip(of.sizes, of.npages, strict=True)][1:], max(WORD, page // 64)
        assert len({(pages, page * pages // size) for size, pages in slots}) == len(slots), "two classes for one size"
        for size, pages in slots:
            left = page * pages % size
            assert left <= page * pages // 8, "a span leaves more than an eighth over"
            assert left < page * pages // size * grain, "a class could be larger in as many pages"
            more = size + STEP
            alike = more <= of.max_small and least(page, more) == pages and page * pages // more == page * pages // size
            assert not alike, "a larger size needs as many pages, fits as often, and has not replaced the class"


def least(page: int, size: int) -> int:
    """The pages of which objects of that size leave at most an eighth over."""
    return next(pages for pages in count(1) if page * pages % size <= page * pages // 8)


def finalizing(life: Life) -> None:
    """Finalizers are set, taken away and queued once; specials of another kind go with their objects."""
    m, reserve = life.m, []
    for _ in range(3):
        fn = life.new(16, 1)
        queued, taken, plain = ([life.new(16, 1) for _ in range(5)] for _ in range(3))
        tiny = life.new(16)
        for p in queued + taken:
            m.setfinalizer(p, fn)
        for p in plain + queued[:1] + [tiny]:
            assert m.addspecial(p, OTHER, fn), "an object has a special that nobody has attached"
        m.setfinalizer(tiny + WORD, fn)
        assert not m.addspecial(queued[0], OTHER, fn), "an object has two specials of a kind"
        for p in taken:
            m.setfinalizer(p, 0)
        assert [m.removespecial(p, FINALIZER) for p in (taken[0], queued[0])] == [False, True]
        m.setfinalizer(queued[0], fn)
        life.mark(fn)
        kept = dict.fromkeys(queued, (16, 1)) | {tiny: (16, 0)}
        life.objects |= kept
        life.sweep()
        there = sum(1 for span in life.inuse() for _ in m.specials(span))
        assert there == 2, "a special is left of an object that was freed, or none of one that was not"
        wake = life.world.heap.mheap + MHEAP.fingwake
        assert life.port.hint(wake), "finalizers are queued, and nobody is to be woken"
        calls = sorted(iter(m.takefinalizer, None))
        assert calls == sorted((fn, p) for p in (*queued, tiny + WORD)), "other finalizers are queued than there were"
        assert not life.port.hint(wake), "somebody is to be woken for finalizers that are gone"
        queue = (at for block in m.finblocks() for at in entries(block, life.world.heap.finentries))
        assert not any(life.port.hint(at + field) for at in queue for field in (FIN.fn, FIN.arg)), (
            "what was taken off the queue is still there"
        )
        life.mark()
        life.sweep()
        made = life.world.heap.mheap
        reserve.append((len(life.port.taken), life.port.hint(made + MHEAP.metaat), len([*m.finblocks()])))
    assert reserve[0][2] == reserve[2][2], "blocks of the queue are not used again"
    assert reserve[1] == reserve[2], "a round takes memory although as much was given back before"


RACES = {
    "fitting": Race(HeapLocal, lambda _: fitting),
    **{
        name: Race(HeapLocal, partial(alone, pages, lives))
        for name, pages, lives in (
            ("reclaiming", 40, reclaiming),
            ("full", 16, full),
            ("moving", 32, moving),
            ("finalizing", 20, finalizing),
            ("rounds", 200, rounds),
            ("churning", 28, churning),
        )
    },
}
"""By name; none has more than one schedule."""
