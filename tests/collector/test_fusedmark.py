"""The fused loop does what the methods do: same marks, same events with the same entry numbers, same memory."""

from __future__ import annotations

import pytest

from collector import heaps
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from workbuf.buffer import WORKBUF


HEAPS = (
    "synthetic:random,n=3000,m=9000,seed=1",
    "synthetic:list,n=2000",
    "synthetic:random,n=500,m=20000,seed=5",
)


class ByMethods(StressM):
    """Marks with the methods, because one of them is changed: to itself."""

    def scanobject(self, b: int, wbuf: int) -> int:
        return super().scanobject(b, wbuf)


def marked(m: type[StressM], heap: str, wbufsize: int = 256) -> tuple[list[tuple[int, ...]], list[int], int]:
    """One stopped mark without helpers: the events but for their times, objects' bytes and buffers, objects scanned."""
    words: list[int] = []

    def note(self: StressM) -> None:
        m.marked(self)
        assert self.places is not None
        assert run.placed is not None
        for b in self.places.made:
            words.extend(self.port.hints(b, WORKBUF.size + self.len_obj))
        words.extend(self.bitsat(self.heapBitsForObject(p)[1]) for p in run.placed.address)

    noting = type("Noting", (m,), {"marked": note})
    config = Config(mutators=0, helpers=0, wbufsize=wbufsize)
    plan = Plan(config=config, programs=(), cycles=2, concurrent=False, ring=1 << 16, events=True)
    run = Stress(plan, heaps.read(heap), noting)
    events: list[tuple[int, ...]] = []
    run.run(lambda report: events.extend((e.thread, e.kind, e.a, e.b, e.c) for e in report.events))
    assert not any(ring.dropped for ring in run.recorder.rings.values())
    assert all(one.fused is (m is StressM) for one in run.ms)
    return events, words, sum(one.scanned for one in run.ms)


@pytest.mark.parametrize("wbufsize", [112, 256, 4096])
@pytest.mark.parametrize("heap", HEAPS)
def test_the_same_step_by_step(heap: str, wbufsize: int) -> None:
    """Every event in order, every word that the protocol wrote, every object counted."""
    fused, methods = marked(StressM, heap, wbufsize), marked(ByMethods, heap, wbufsize)

    assert fused == methods
    assert len(fused[0]) > 50


def test_the_test_sees_another_order() -> None:
    """A loop that takes the oldest entry first marks the same objects, and is told apart."""

    class Oldest(ByMethods):
        def popobject(self, wbuf: int) -> int:
            b = super().popobject(wbuf)
            first = wbuf + 9
            words = self.port.words
            b, words[first] = words[first], b
            return b

    heap = HEAPS[0]
    assert marked(Oldest, heap)[0] != marked(StressM, heap)[0]


@pytest.mark.parametrize("name", ["popobject", "scanobject", "scanwords", "greyobject", "wanted"])
def test_a_variant_is_marked_with_its_own_methods(name: str) -> None:
    """Whoever changes a method that the loop has written out is asked."""
    asked: list[str] = []

    def own(self: StressM, *args: int) -> object:
        asked.append(name)
        return getattr(super(variant, self), name)(*args)

    variant = type("Variant", (StressM,), {name: own})
    plan = Plan(config=Config(mutators=0, helpers=0), programs=(), cycles=2, concurrent=False)
    Stress(plan, heaps.read(HEAPS[0]), variant).run()

    assert len(asked) > 1000
