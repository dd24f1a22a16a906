"""harvestwbufs: what Ms have cached goes where others find it.  Vector W13."""

from __future__ import annotations

from mutator.world import RUNTIME
from tests.worlds import Bench, Noting
from workbuf.events import Event


def caches(bench: Bench) -> list[int]:
    """What every M caches."""
    ms = bench.world.records(bench.world.allm, bench.runtime("allmlen"))
    return [bench.look.cache(m) for m in ms]


def test_w13_empty_one_full_and_none() -> None:
    """W13: The empty buffer to empty (945), the two with work to full (947), in the order of allm; all caches 0 (I6)."""
    bench = Bench(mutators=2, helpers=1)
    ms = [bench.gcm, *bench.mutators, *bench.helpers]
    buffers = [bench.full(m, [bench.leaf() for _ in range(n)]) for m, n in zip(ms, (0, 1, 23), strict=False)]
    for m, b in zip(ms, buffers, strict=False):
        m.cache(b)
    empty, one, full = buffers

    assert bench.gcm.harvestwbufs() == 2

    assert caches(bench) == [0, 0, 0, 0]
    # The last one pushed is on top.
    assert bench.look.lists() == {"empty": [empty], "partial": [], "full": [full, one]}
    assert [bench.look.log(b) for b in buffers] == [[945, 359, 0, 0], [947, 359, 0, 0], [947, 359, 0, 0]]
    assert bench.runtime("harvestingwbufs") == 0
    assert bench.problems() == []


def test_a_harvest_of_nothing_touches_no_list(bench: Bench) -> None:
    """Nobody has cached anything."""
    assert bench.gcm.harvestwbufs() == 0
    assert bench.look.buffers() == []


def test_a_buffer_is_taken_by_an_exchange_and_reported(bench: Bench) -> None:
    """Its M may be taking it at the same time, and exactly one of the two gets it (O-15)."""
    m = bench.mutators[1]
    b = bench.full(m, [bench.leaf()])
    m.cache(b)
    noting = Noting(bench.port)

    bench.again(bench.gcm, through=noting).harvestwbufs()

    flag = bench.world.runtime + RUNTIME.harvestingwbufs
    assert noting.order(flag, m.currentwbuf) == [("store", flag), ("xchg", m.currentwbuf), ("store", flag)]
    assert (Event.HARVESTED, b, 2, 1) in noting.events
