"""The oracle: what it calls reachable, and what it says of marks that disagree.  (I14.)"""

from __future__ import annotations

import pytest

from collector.audit.traverse import LOST_SHOWN, Reach, Traversal
from collector.audit.violation import Violation
from mutator.heap import FINBLOCK, MHEAP
from mutator.stack import FRAME
from mutator.world import GDEAD, GSCAN, GWAITING, G
from tests.worlds import Bench
from workbuf.machine import WORD


@pytest.fixture(name="bench")
def _bench() -> Bench:
    """A model with a data segment and room for goroutines of the tests' own."""
    return Bench(data=80, goroutines=4)


def look(bench: Bench) -> Traversal:
    """A traversal of the memory as it is."""
    return Traversal(bench.world, bench.port.words)


def reachable(bench: Bench) -> int:
    """How many objects it reaches."""
    return look(bench).run().reachable


def test_what_nobody_names_is_not_reachable(bench: Bench) -> None:
    """Objects that name each other, included."""
    a, b = bench.obj(0), bench.obj(0)
    bench.machine.poke(a // WORD, b)
    bench.machine.poke(b // WORD, a)

    assert look(bench).run() == Reach(objects=2, reachable=0, marked=0, floating=0)


@pytest.mark.parametrize("word", [0, 7, 63, 64, 79])
def test_every_word_of_a_segment_is_a_root(bench: Bench, word: int) -> None:
    """Across the bitmap's words."""
    bench.machine.poke(bench.world.data.base + word, bench.chain(5)[0])

    assert reachable(bench) == 5


def test_bss_is_a_root(bench: Bench) -> None:
    """The programs' globals and the channels' rings."""
    bench.setbss(0, bench.chain(4)[0])

    assert reachable(bench) == 4


@pytest.mark.parametrize("status", [GWAITING, GWAITING | GSCAN])
def test_every_frame_of_a_goroutine_is_a_root(bench: Bench, status: int) -> None:
    """Whoever holds its scan bit."""
    gp = bench.parked(bench.chain(2)[0])
    bench.frame(gp, 0, bench.chain(3)[0])
    bench.machine.poke(gp + G.status, status)

    assert reachable(bench) == 5


def test_locals_and_arguments_are_roots_by_their_bitmaps(bench: Bench) -> None:
    """A scalar that looks like a pointer is none."""
    m, gp = bench.gcm, bench.world.newg("g")
    cell = m.pushframe(gp, 2, m.stackmap(2, [1]), 3, m.stackmap(3, [2]))
    for i, n in enumerate((1, 10, 100, 1000, 10000)):
        bench.machine.poke(cell + i, bench.chain(n)[0] if n in (10, 100) else bench.leaf())

    assert reachable(bench) == 11


@pytest.mark.parametrize("dead", ["frame", "goroutine"])
def test_the_dead_are_no_roots(bench: Bench, dead: str) -> None:
    """A frame that will not be returned to, a goroutine that has ended."""
    gp = bench.parked(bench.leaf())
    if dead == "frame":
        bench.machine.poke(bench.g(gp, "frame") + FRAME.continpc, 0)
    else:
        bench.machine.poke(gp + G.status, GDEAD)

    assert reachable(bench) == 0


def test_queued_finalizers_are_roots(bench: Bench) -> None:
    """Closure and object, up to the block's count."""
    for _ in range(2):
        bench.gcm.queuefinalizer(bench.chain(3)[0], bench.chain(2)[0])
    assert reachable(bench) == 10

    bench.machine.poke(bench.peek(bench.world.heap.mheap + MHEAP.allfin) + FINBLOCK.cnt, 1)
    assert reachable(bench) == 5


def test_a_finalizer_keeps_its_closure_and_the_referents_and_not_the_object(bench: Bench) -> None:
    """So that it can be found dead and still be whole."""
    bench.gcm.setfinalizer(bench.obj(bench.chain(3)[0]), bench.chain(2)[0])

    assert look(bench).run() == Reach(objects=6, reachable=5, marked=0, floating=0)


def test_an_object_that_names_itself_through_its_finalizer_is_reachable(bench: Bench) -> None:
    """It is its own referent, which Go warns of."""
    p = bench.obj(0)
    bench.machine.poke(p // WORD, p)
    bench.gcm.setfinalizer(p, bench.world.bss.slot(0))

    assert reachable(bench) == 1


def test_interior_pointers_reach_their_objects(bench: Bench) -> None:
    """At every byte of them, and at none behind."""
    small, large = bench.obj(0, 0, 0, 0), bench.gcm.mallocgc(5000, 1)
    for p in (small, small + 31, large + 1, large + 4999):
        bench.setbss(p)
        assert reachable(bench) == 1

    bench.setbss(large + 5000)
    assert reachable(bench) == 0


def test_pointers_that_lead_nowhere_are_passed_over(bench: Bench) -> None:
    """Nil, outside the arena, a page without a span."""
    bench.setbss(0, 8, bench.world.heap.arena_start - 8, bench.world.heap.arena_end - 8, bench.world.heap.arena_end)

    assert reachable(bench) == 0


def test_masks_of_more_than_one_word_are_followed(bench: Bench) -> None:
    """The 200th word of an object."""
    p = bench.gcm.mallocgc(200 * WORD, 1 << 199)
    bench.machine.poke(p // WORD + 199, bench.leaf())
    bench.machine.poke(p // WORD + 198, bench.leaf())
    bench.setbss(p)

    assert reachable(bench) == 2


def test_what_is_marked_and_not_reachable_floats(bench: Bench) -> None:
    """It is counted and no violation."""
    alive, dead = bench.chain(3), bench.chain(2)
    bench.setbss(alive[0])
    bench.setmark(*alive, *dead)

    assert look(bench).check() == Reach(objects=5, reachable=3, marked=5, floating=2)


def test_what_is_reachable_and_not_marked_is_lost(bench: Bench) -> None:
    """Each with the place where the pointer to it was found."""
    nodes = bench.chain(5)
    bench.setbss(0, nodes[0])
    bench.setmark(*nodes[:1], *nodes[2:4])

    with pytest.raises(Violation) as found:
        look(bench).check()

    assert (found.value.kind, found.value.count) == ("lost", 2)
    assert found.value.text == "2 reachable objects are not marked"
    assert found.value.printed == (
        f"runtime: lost object {nodes[1]:#x}: reachable from *{nodes[0]:#x} and not marked",
        f"runtime: lost object {nodes[4]:#x}: reachable from *{nodes[3]:#x} and not marked",
    )


def test_of_many_lost_objects_the_first_are_named(bench: Bench) -> None:
    """All are counted."""
    bench.setbss(bench.chain(50)[0])

    with pytest.raises(Violation) as found:
        look(bench).check()

    assert found.value.count == 50
    assert len(found.value.printed) == LOST_SHOWN


def test_a_reachable_pointer_into_a_free_slot_is_a_violation(bench: Bench) -> None:
    """Somebody has freed what is alive."""
    p, q = bench.leaf(), bench.leaf()
    free = q + (q - p)
    bench.setbss(free)

    with pytest.raises(Violation, match="a reachable pointer leads to a freed object") as found:
        look(bench).run()

    assert found.value.kind == "lost"
    assert found.value.printed == (
        f"*{bench.world.bss.slot(0):#x} holds {free:#x}, which lies in the free object {free:#x}",
    )
