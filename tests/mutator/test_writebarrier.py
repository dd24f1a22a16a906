"""The write barrier: when it is on, what it does first, what it drops and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.runtime import AuditedM, Config, Model
from mutator.phase import GCmark, GCmarktermination, GCoff, GCscan
from mutator.writebarrier import FIRST_PAGE, POISON_STACK
from workbuf.events import PHASE_NAMES
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from tests.worlds import Bench


ON = (GCmark, GCmarktermination)
PHASES = range(len(PHASE_NAMES))


@pytest.fixture(name="m")
def _m(bench: Bench) -> AuditedM:
    """A mutator whose goroutine runs."""
    return bench.start(bench.mutators[0])


@pytest.mark.parametrize("phase", PHASES, ids=PHASE_NAMES.__getitem__)
def test_a_store_shades_in_mark_and_mark_termination(bench: Bench, m: AuditedM, phase: int) -> None:
    """In every phase the pointer is stored; in those two the object it names is marked and queued (I9)."""
    holder, p = bench.obj(0), bench.leaf()
    bench.phase(phase)

    m.writebarrierptr(holder, p)

    assert bench.peek(holder // WORD) == p
    assert m.needwb() == (phase in ON)
    assert bench.marked(p) == [phase in ON]
    assert bench.marked(holder) == [False]


@pytest.mark.parametrize("phase", PHASES, ids=PHASE_NAMES.__getitem__)
def test_a_send_to_a_blocked_goroutine_shades_in_the_scan_phase_too(bench: Bench, m: AuditedM, phase: int) -> None:
    """Its stack counts as scanned, so nobody would look at the slot again (K-16)."""
    slot, p = bench.frame(bench.mutators[1].curg, 0), bench.leaf()
    bench.phase(phase)

    m.sendbarrier(slot * WORD, p)

    assert bench.peek(slot) == p
    assert bench.marked(p) == [phase in (GCscan, *ON)]


@pytest.mark.parametrize("phase", ON)
def test_the_store_comes_before_the_shade(bench: Bench, m: AuditedM, phase: int) -> None:
    """Whoever scans the holder in between finds the pointer."""
    holder, p = bench.obj(0), bench.leaf()
    bench.phase(phase)
    seen: list[int] = []

    class Seeing(AuditedM):
        """Looks at the slot when the shade begins."""

        def shade(self, b: int) -> None:
            """Note it."""
            seen.extend([b, bench.peek(holder // WORD)])

    bench.start(bench.mutators[1])
    bench.again(bench.mutators[1], Seeing).writebarrierptr(holder, p)

    assert seen == [p, p]


@pytest.mark.parametrize("phase", ON)
@pytest.mark.parametrize("src", [1, 8, 4095, POISON_STACK])
def test_a_bad_pointer_throws_and_is_not_stored(bench: Bench, m: AuditedM, phase: int, src: int) -> None:
    """Small numbers and what Go writes over dead stacks."""
    holder = bench.obj(0)
    bench.phase(phase)

    with pytest.raises(Throw) as thrown:
        m.writebarrierptr(holder, src)

    assert thrown.value.text == "bad pointer in write barrier"
    assert thrown.value.printed == (f"runtime: writebarrierptr * {holder:#x} = {src:#x}",)
    assert bench.peek(holder // WORD) == 0


def test_an_arena_of_little_pages_may_begin_in_the_first_page() -> None:
    """What lies below it is no pointer; what lies in it is one."""
    machine = HardwareMachine(words=1 << 18)
    model = Model(machine, Config(mutators=0, helpers=0, arena=1 << 14, page_size=256))
    m = AuditedM(machine.boot(), model.world, model.gcm)
    m.acquirep()
    holder, p = m.mallocgc(WORD, 1), m.mallocgc(WORD, 1)
    assert p < FIRST_PAGE
    machine.poke(model.world.gcphase, GCmark)

    m.writebarrierptr(holder, p)

    assert machine.peek(holder // WORD) == p
    with pytest.raises(Throw, match="bad pointer in write barrier"):
        m.writebarrierptr(holder, model.world.heap.arena_start - 1)


def test_without_a_barrier_nobody_looks_at_the_pointer(bench: Bench, m: AuditedM) -> None:
    """The check is the barrier's, as in Go."""
    holder = bench.obj(0)

    m.writebarrierptr(holder, 8)

    assert bench.peek(holder // WORD) == 8


@pytest.mark.parametrize("phase", ON)
def test_pointers_that_lead_to_no_object_shade_nothing(bench: Bench, m: AuditedM, phase: int) -> None:
    """Nil, and an address outside the heap."""
    holder = bench.obj(bench.leaf())
    bench.phase(phase)

    m.writebarrierptr(holder, 0)
    assert bench.peek(holder // WORD) == 0
    m.writebarrierptr(holder, bench.world.bss.slot(0))
    assert bench.peek(holder // WORD) == bench.world.bss.slot(0)

    assert bench.look.buffers() == []


def test_an_interior_pointer_shades_its_object(bench: Bench, m: AuditedM) -> None:
    """The base is queued, the pointer stored as it is."""
    holder, p = bench.obj(0), bench.obj(0, 0, 0)
    bench.phase(GCmark)

    m.writebarrierptr(holder, p + 16)

    assert bench.peek(holder // WORD) == p + 16
    assert bench.look.entries(bench.look.cache(m.record)) == [p]


def test_a_barrier_inside_a_barrier_is_dropped(bench: Bench, m: AuditedM) -> None:
    """The store happens, the shade does not; the outer one ends as it would have."""
    holder, p, q = bench.obj(0, 0), bench.leaf(), bench.leaf()
    bench.phase(GCmark)

    class Nesting(AuditedM):
        """A shade that itself stores a pointer."""

        def shade(self, b: int) -> None:
            """Store, then shade."""
            self.writebarrierptr(holder + WORD, q)
            super().shade(b)

    nesting = bench.again(m, Nesting)
    nesting.writebarrierptr(holder, p)

    assert [bench.peek(holder // WORD), bench.peek(holder // WORD + 1)] == [p, q]
    assert bench.marked(p, q) == [True, False]
    assert (nesting.inwb, nesting.locks) == (False, 0)


@pytest.mark.parametrize("phase", ON)
def test_a_barrier_needs_a_p(bench: Bench, m: AuditedM, phase: int) -> None:
    """A thread that the stop of the world does not wait for may not shade (41dbcc19ef, instead of K-1 and O-1)."""
    holder, p = bench.obj(0), bench.leaf()
    bench.phase(phase)
    m.entersyscall()

    with pytest.raises(Throw) as thrown:
        m.writebarrierptr(holder, p)

    assert thrown.value.text == "writebarrierptr_nostore1 called with mp.p == nil"
    assert bench.marked(p) == [False]


@pytest.mark.parametrize("phase", ON)
def test_a_barrier_that_shades_nothing_needs_no_p(bench: Bench, m: AuditedM, phase: int) -> None:
    """As in Go: one of nil, one of a pointer that leads out of the heap, and one inside another barrier."""
    holder, p = bench.obj(0, 0), bench.leaf()
    bench.phase(phase)
    m.entersyscall()

    m.writebarrierptr(holder, 0)
    m.writebarrierptr(holder, bench.world.heap.arena_end + WORD)
    m.inwb = True
    m.writebarrierptr(holder + WORD, p)

    assert bench.peek(holder // WORD + 1) == p
    assert bench.marked(p) == [False]


def test_an_m_of_the_idle_list_has_no_p_at_all(bench: Bench) -> None:
    """Helpers mark; they may not store pointers while the barrier is on."""
    holder, p = bench.obj(0), bench.leaf()
    helper = bench.helpers[0]

    helper.writebarrierptr(holder, p)
    bench.phase(GCmark)

    with pytest.raises(Throw, match=r"mp\.p == nil"):
        helper.writebarrierptr(holder, p)


@pytest.mark.parametrize("phase", [len(PHASE_NAMES), 99])
def test_a_phase_that_is_none_throws(bench: Bench, m: AuditedM, phase: int) -> None:
    """gcmarkwb_m knows every phase there is; what is no phase must not pass for one with the barrier off."""
    bench.phase(phase)

    with pytest.raises(Throw, match="gcphasework in bad gcphase"):
        m.gcmarkwb_m(bench.leaf())


def test_gcmarkwb_m_does_nothing_with_the_barrier_off(bench: Bench, m: AuditedM) -> None:
    """A late call after the phase went off, as in Go."""
    p = bench.leaf()
    bench.phase(GCoff)

    m.gcmarkwb_m(p)

    assert bench.marked(p) == [False]
