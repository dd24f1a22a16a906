"""Who asks for a collection, and the background collector that does it."""

from __future__ import annotations

import pytest

from tests.collector.turns import collector
from tests.worlds import Bench, Noting


def test_gogc_asks_once(bench: Bench) -> None:
    """While a collection is asked for or under way, further requests are nothing: a second wake-up would throw."""
    for m in (*bench.mutators, *bench.mutators):
        m.gogc(0)

    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note"), bench.runtime("bggc_force")) == (1, 1, 0)


@pytest.mark.parametrize("force", [0, 1])
def test_the_background_collector_collects_when_it_is_asked(bench: Bench, force: int) -> None:
    """As it was asked to; then it can be asked again."""
    gcm = collector(bench)
    bench.mutators[0].gogc(force)

    assert gcm.background(10**9)

    assert (gcm.numgc, gcm.cycle.concurrent) == (1, force == 0)
    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note"), bench.runtime("bggc_force")) == (0, 0, 0)
    bench.mutators[0].gogc(0)
    assert gcm.background(10**9)


def test_the_background_collector_collects_by_the_clock_too(bench: Bench) -> None:
    """Nobody has asked; meanwhile it counts as working, so nobody can."""
    working: list[int] = []
    gcm = collector(bench, mark=lambda: working.append(bench.runtime("bggc_working")))

    assert not gcm.background(1)

    assert working == [1]
    assert (gcm.numgc, bench.runtime("bggc_working")) == (1, 0)


def test_a_request_that_comes_as_the_rest_ends_is_not_lost(bench: Bench) -> None:
    """The sleep has timed out, the request comes, and then the collector takes the lock: it is asked."""

    class Overtaken(Noting):
        """A port whose sleep on the note ends with somebody's request."""

        def sleep(self, note: int, ns: int = -1) -> bool:
            """Time out, and then be asked."""
            woken: bool = self.port.sleep(note, ns)
            bench.mutators[0].gogc(0)
            return woken

    gcm = bench.start(bench.m(bench.model.gcm, through=Overtaken(bench.port)))

    assert gcm.waitwork(1)
    assert (bench.runtime("bggc_working"), bench.runtime("bggc_note")) == (1, 0)
