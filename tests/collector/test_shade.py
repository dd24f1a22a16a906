"""What mutators do for the collector: shade and gchelpwork.  Vectors W10, W14, W15."""

from __future__ import annotations

import pytest

from collector.runtime import AuditedM
from mutator.phase import GCmark, GCmarktermination, GCoff, GCquiesce, GCscan, GCstw, GCsweep
from mutator.world import MRECORD
from tests.machines import Watching
from tests.worlds import Bench
from workbuf.events import Event
from workbuf.throw import Throw


@pytest.fixture(name="m")
def _m(bench: Bench) -> AuditedM:
    """A mutator whose goroutine runs, in the mark phase."""
    bench.phase(GCmark)
    return bench.start(bench.mutators[0])


def marked_leaf(bench: Bench) -> int:
    """An object that is marked already."""
    p = bench.leaf()
    bench.setmark(p)
    return p


def test_shade_greys_through_the_cache(bench: Bench, m: AuditedM) -> None:
    """One buffer, taken from the cache and put back for each object, unlogged and on no list."""
    objects = [bench.leaf() for _ in range(3)]

    for p in objects:
        m.shade(p)

    (b,) = bench.look.buffers()
    assert bench.look.cache(m.record) == b
    assert bench.look.state(b) == (True, [80701181, 0, 0, 0], objects)
    assert bench.places() == {"empty": 0, "partial": 0, "full": 0}


def test_shade_of_an_interior_pointer_greys_its_object(bench: Bench, m: AuditedM) -> None:
    """The base is what is queued."""
    p = bench.obj(0, 0, 0)

    m.shade(p + 17)

    assert bench.look.entries(bench.look.cache(m.record)) == [p]


def test_w10_shade_of_a_marked_object_in_mark_leaves_an_empty_buffer_cached(bench: Bench, m: AuditedM) -> None:
    """W10: The buffer is fetched before the colour is known (80701181)."""
    m.shade(marked_leaf(bench))

    b = bench.look.cache(m.record)
    assert bench.look.state(b) == (True, [80701181, 0, 0, 0], [])


def test_w10_or_the_partial_buffer_it_pulled(bench: Bench, m: AuditedM) -> None:
    """W10: Off partial under 1181, with what it held."""
    p = bench.leaf()
    b = bench.full(m, [p])
    m.putpartial(b, 670)

    m.shade(marked_leaf(bench))

    assert bench.look.cache(m.record) == b
    assert bench.look.state(b) == (True, [1181, 670, 359, 0], [p])


def test_w10_in_mark_termination_the_empty_buffer_goes_straight_back(bench: Bench, m: AuditedM) -> None:
    """W10: To empty, under putpartial's composite entry; nothing is cached."""
    bench.phase(GCmarktermination)

    m.shade(marked_leaf(bench))

    (b,) = bench.look.listed("empty")
    assert bench.look.log(b) == [81501191, 80701181, 0, 0]
    assert bench.look.cache(m.record) == 0


def test_in_mark_termination_a_grey_object_goes_to_partial(bench: Bench, m: AuditedM) -> None:
    """Under 1191: the harvest has gone by, so a cache would hide it."""
    p = bench.leaf()
    bench.phase(GCmarktermination)

    m.shade(p)

    (b,) = bench.look.listed("partial")
    assert bench.look.state(b) == (False, [1191, 80701181, 0, 0], [p])
    assert bench.look.cache(m.record) == 0


def test_shade_outside_the_heap_throws(bench: Bench, m: AuditedM) -> None:
    """The barrier asks first."""
    with pytest.raises(Throw, match="shade: passed an address not in the heap"):
        m.shade(bench.world.bss.slot(0))


class Interfering(AuditedM):
    """Caches a buffer of its own at the moment named."""

    when = ""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Grey, then interfere."""
        wbuf = super().greyobject(obj, base, off, hbits, bits, wbuf)
        if self.when == "grey":
            self.cache(self.getempty(359))
        return wbuf

    def checknocurrentwbuf(self) -> None:
        """Check, then interfere."""
        super().checknocurrentwbuf()
        if self.when == "check":
            self.cache(self.getempty(359))


@pytest.mark.parametrize(
    ("when", "text"), [("grey", "unexpected currentwbuf"), ("check", "m.currentwbuf lost in shade")]
)
def test_shade_throws_when_the_cache_is_filled_meanwhile(bench: Bench, m: AuditedM, when: str, text: str) -> None:
    """Two looks: one after the object was greyed, one at the exchange itself."""
    interfering = bench.again(m, Interfering)
    interfering.when = when

    with pytest.raises(Throw) as thrown:
        interfering.shade(bench.leaf())

    assert thrown.value.text == text


@pytest.mark.parametrize("phase", [GCoff, GCquiesce, GCstw, GCscan, GCsweep])
def test_gchelpwork_does_nothing_outside_mark(bench: Bench, m: AuditedM, phase: int) -> None:
    """Not even with a buffer at hand."""
    b = bench.full(m, [bench.leaf()])
    m.cache(b)
    bench.phase(phase)

    m.gchelpwork()

    assert bench.look.cache(m.record) == b
    assert m.scanned == 0


@pytest.mark.parametrize("phase", [GCmarktermination, 7])
def test_gchelpwork_throws_where_nobody_may_help(bench: Bench, m: AuditedM, phase: int) -> None:
    """Mark termination, where the world is stopped (O-20), and what is no phase."""
    bench.phase(phase)

    with pytest.raises(Throw, match="gcphasework in bad gcphase"):
        m.gchelpwork()


def test_gchelpwork_without_work_is_over_at_once(bench: Bench, m: AuditedM) -> None:
    """No buffer is made for it."""
    m.gchelpwork()

    assert bench.look.buffers() == []


def test_w14_a_cached_buffer_of_five_that_lead_nowhere(bench: Bench, m: AuditedM) -> None:
    """W14: Five are scanned; the buffer goes to empty (544), trygetfull (545) finds nothing, and nothing is on full."""
    watching = Watching(bench.port, 1)
    m = bench.again(m, through=watching)
    b = bench.full(m, [bench.leaf() for _ in range(5)])
    m.cache(b)

    m.gchelpwork()

    assert m.scanned == 5
    assert bench.look.lists() == {"empty": [b], "partial": [], "full": []}
    assert bench.look.log(b) == [544, 359, 0, 0]
    assert bench.look.cache(m.record) == 0
    assert watching.events[-1][:2] == (Event.ASSIST_END, 5)
    assert bench.peek(m.record + MRECORD.assisted) == 5


def test_w15_a_list_of_100_with_its_head_in_the_cache(bench: Bench, m: AuditedM) -> None:
    """W15: Exactly 23 are scanned, the budget; then one buffer with one object goes to full (1175)."""
    nodes = bench.chain(100)
    b = bench.full(m, nodes[:1])
    m.cache(b)

    m.gchelpwork()

    assert m.scanned == 23
    assert bench.look.lists() == {"empty": [], "partial": [], "full": [b]}
    assert bench.look.state(b) == (False, [1175, 359, 0, 0], [nodes[23]])
    assert bench.marked(*nodes) == [True] * 24 + [False] * 76
    assert bench.look.cache(m.record) == 0


def test_a_budget_that_ends_with_the_buffer_puts_it_to_empty(bench: Bench, m: AuditedM) -> None:
    """Exactly 23 objects that lead nowhere: 1177."""
    b = bench.full(m, [bench.leaf() for _ in range(23)])
    m.cache(b)

    m.gchelpwork()

    assert bench.look.listed("empty") == [b]
    assert bench.look.log(b)[0] == 1177


def test_without_a_cached_buffer_gchelpwork_takes_one_off_full(bench: Bench, m: AuditedM) -> None:
    """Under 1228; what is left goes back to full and never into the cache, so that the collector finds it."""
    b = bench.full(m, [bench.leaf() for _ in range(22)] + [bench.chain(5)[0]])
    m.putfull(b, 358)

    m.gchelpwork()

    assert bench.look.log(b)[:3] == [1175, 1228, 358]
    assert m.scanned == 23
    assert bench.look.cache(m.record) == 0


@pytest.mark.parametrize(("wbufsize", "budget"), [(112, 5), (1024, 119)])
def test_the_budget_is_a_buffers_worth(wbufsize: int, budget: int) -> None:
    """Of whatever size."""
    bench = Bench(wbufsize=wbufsize)
    bench.phase(GCmark)
    m = bench.mutators[0]
    m.cache(bench.full(m, bench.chain(200)[:1]))

    m.gchelpwork()

    assert m.scanned == budget
