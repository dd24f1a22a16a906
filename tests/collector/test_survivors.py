"""What survives a collection, and what goes: reachable, dropped, hidden, stored, new and finalized objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mutator.world import GDEAD, GRUNNING
from tests.collector.turns import asleep, awake, collect, collector, freed
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collector.runtime import AuditedM
    from tests.worlds import Bench


@pytest.mark.parametrize("force", [0, 1])
def test_garbage_goes_and_what_is_reachable_stays(bench: Bench, force: int) -> None:
    """From bss, from a stack, from the stack of somebody parked; three collections, with new garbage each."""
    kept = [bench.chain(30) for _ in range(3)]
    bench.setbss(kept[0][0])
    bench.frame(bench.mutators[0].curg, kept[1][0])
    bench.frame(bench.mutators[1].curg, kept[2][0])
    gcm = collector(bench)
    for cycle in range(1, 4):
        gone = bench.chain(40)

        collect(gcm, force)

        assert all(all(bench.allocated(*nodes)) for nodes in kept)
        assert gcm.reach.marked == gcm.reach.reachable == 90
        assert (gcm.numgc, gcm.reach.floating) == (cycle, 0)
        assert freed(bench, *gone)


def test_what_dies_during_the_mark_floats_until_the_next(bench: Bench) -> None:
    """It was marked before it was dropped: kept this time, counted, freed the next."""
    nodes = bench.chain(4)
    bench.setbss(nodes[0])
    m = asleep(bench)
    gcm = collector(bench, markterm=awake(m, lambda m: m.writebarrierptr(bench.world.bss.slot(0), 0)))

    collect(gcm)
    assert gcm.reach.floating == 4
    assert bench.allocated(*nodes) == [True] * 4

    collect(gcm)
    assert gcm.reach.floating == 0
    assert freed(bench, *nodes)


def test_a_pointer_hidden_on_a_scanned_stack_is_found_by_the_second_scan(bench: Bench) -> None:
    """Loaded onto the stack and deleted from the heap after both were scanned: no barrier sees it (deletion has none)."""
    hidden = bench.chain(3)
    box = bench.obj(hidden[0])
    bench.setbss(box)
    m = asleep(bench)
    slot = m.call(1)

    def hide(m: AuditedM) -> None:
        m.port.words[slot] = m.get(box, 0)
        m.put(box, 0, 0)

    gcm = collector(bench, installmarkwb=awake(m, hide))
    collect(gcm)

    assert bench.allocated(*hidden) == [True] * 3
    assert gcm.cycle.scanned_after - gcm.cycle.scanned_markterm == 3


def test_a_pointer_stored_into_a_scanned_object_is_shaded(bench: Bench) -> None:
    """Otherwise nobody would look there again (I9)."""
    box = bench.obj(0)
    bench.setbss(box)
    m = asleep(bench)
    slot = m.call(1)
    nodes = bench.chain(3)
    bench.machine.poke(slot, nodes[0])

    def publish(m: AuditedM) -> None:
        m.put(box, 0, m.port.words[slot])
        m.port.words[slot] = 0

    gcm = collector(bench, markterm=awake(m, publish))
    collect(gcm)

    assert bench.allocated(*nodes) == [True] * 3


def test_new_objects_survive_the_collection_in_which_they_are_made(bench: Bench) -> None:
    """White ones that were published, and those on the stack."""
    m = asleep(bench)
    slot = m.call(1)
    born: list[int] = []

    def allocate(m: AuditedM) -> None:
        for _ in range(3):
            p = m.new(2 * WORD, 0b11)
            m.put(p, 0, m.port.words[slot])
            m.port.words[slot] = p
            born.append(p)

    gcm = collector(bench, scan=awake(m, allocate), mark=awake(m, allocate), markterm=awake(m, allocate))
    collect(gcm)

    assert len(born) == 9
    assert bench.allocated(*born) == [True] * 9


def test_a_finalizer_runs_once_and_then_its_object_goes(bench: Bench) -> None:
    """Found dead: queued, and kept for it with all it points to; freed when nobody holds it any more."""
    far = bench.leaf()
    p, closure = bench.obj(far), bench.leaf()
    bench.gcm.setfinalizer(p, closure)
    gcm = collector(bench)

    collect(gcm)
    collect(gcm)
    assert bench.allocated(p, far, closure) == [True] * 3
    assert gcm.takefinalizer() == (closure, p)
    assert gcm.takefinalizer() is None

    collect(gcm)
    assert freed(bench, p, far, closure)
    assert gcm.takefinalizer() is None


def test_the_goroutines_of_dead_mutators_are_no_roots(bench: Bench) -> None:
    """Their caches are harvested all the same."""
    m = bench.start(bench.mutators[0])
    bench.machine.poke(m.call(1), p := bench.leaf())
    m.cache(bench.full(m, [bench.leaf()]))
    m.casgstatus(m.curg, GRUNNING, GDEAD)
    m.releasep()
    gcm = collector(bench)

    gcm.gcwork(1)

    assert bench.look.cache(m.record) == 0
    assert bench.marked(p) == [False]
