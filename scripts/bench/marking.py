"""Marking: one marker over a plain marker of the same memory, two over one, with the cost of waiting.

The plain marker runs in the stopped world right behind the protocol's own mark, over the same words, from the same roots,
and must mark the same objects: a list of objects to scan, a byte for each mark, nothing that another thread could see.
"""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from collector import heaps
from collector.audit.traverse import Traversal
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from mutator.heap import DEAD, MARKED, SPAN
from scripts.bench.rows import GIL, BenchError, Row
from workbuf.hardware.selftest import AUTO
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from collector.gc import CycleStats
    from collector.heaps.graph import Graph

LEAST = 1.8
"""What two markers are to do together without a GIL, of one's rate; half of it each if they spend 2 / 1.8 of its time."""
HEAPS = {
    "random": "synthetic:random,n=30000,m=78000,seed=1",
    "fan-out": "synthetic:tree,n=30000,fan=4,seed=1",
    "long list": "synthetic:list,n=30000,seed=1",
}
"""Nothing of a long list can be shared: its second marker can only wait."""


def rows(rounds: int) -> Iterator[Row]:
    """One marker by its processor time, two by the clock."""
    for name, spec in HEAPS.items():
        graph = heaps.read(spec)
        mark(graph)
        # Round by round, so that they meet the same load.
        turns = [(mark(graph), mark(graph, listening=False), mark(graph, binding="fast")) for _ in range(rounds)]
        works = ("one marker", "one marker, no recorder", "one marker, atomics fast")
        for work, most, some in zip(works, (2.0, 1.5, 2.0), zip(*turns, strict=True), strict=True):
            figure = median(cost.own / sum(cost.scanned) for cost in some) * 1e6
            ratios = [cost.own / cost.plain for cost in some]
            yield Row(f"{work}, {name}", "a plain marker, same memory", ratios, figure, "us/object", most)
        yield from two(graph, name, rounds)


def two(graph: Graph, name: str, rounds: int) -> list[Row]:
    """Two markers over one: by the clock, which needs two processors that nobody else uses, and what they spend together."""
    pairs = [(mark(graph), mark(graph, helpers=1)) for _ in range(rounds)]
    scanned = [sum(cost.scanned[i] for _, cost in pairs) for i in range(2)]
    if name != "long list" and min(scanned) * 10 < sum(scanned):
        raise BenchError(f"{name}: of two markers one has scanned {min(scanned)} of {sum(scanned)} objects")
    waits = {wait: sum(cost.waits[wait] for _, cost in pairs) // rounds for wait in pairs[0][1].waits}
    note = (
        f"{min(scanned) / sum(scanned):.0%} by the second; "
        f"{'/'.join(map(str, waits.values()))} times spun/yielded/slept in waiting"
    )
    shared = name != "long list"
    wall, spent = (median(getattr(cost, clock) for _, cost in pairs) * 1e3 for clock in ("wall", "own"))
    rates = [one.wall / cost.wall for one, cost in pairs]
    paths = [max(one.each) / max(cost.each) for one, cost in pairs]
    longest = median(max(cost.each) for _, cost in pairs) * 1e3
    together = [cost.own / one.own for one, cost in pairs]
    least, most = (None, None) if GIL or not shared else (LEAST, round(2 / LEAST, 2))
    work = f"two markers, {name}"
    return [
        Row(f"{work}: rate", "one marker's", rates, wall, "ms", least=least, clock="wall", note=note),
        Row(f"{work}: rate, by the busier", "one marker's", paths, longest, "ms", least=least),
        Row(f"{work}: time of both", "one marker's", together, spent, "ms", most),
    ]


class Cost(NamedTuple):
    """Of one mark: seconds of all processors, by the clock, of each marker, of the plain one; objects by marker; waits.

    What the busier marker spends is how long a mark takes where no other work is on its processors, but for sleeps.
    """

    own: float
    wall: float
    each: list[float]
    plain: float
    scanned: list[int]
    waits: dict[str, int]


class Timed(StressM):
    """Times its own marks, and a plain one behind each."""

    own: ClassVar[list[float]] = []
    """Processor seconds of all marks, all threads."""
    wall: ClassVar[list[float]] = []
    each: ClassVar[list[list[float]]] = []
    """The same of each marker: in no order."""
    plain: ClassVar[list[float]] = []
    began = (0.0, 0.0, 0.0)

    def gc(self, *, eager: bool = False) -> None:
        """Begin to count."""
        self.each.append([])
        self.began = time.process_time(), time.perf_counter(), time.thread_time()
        super().gc(eager=eager)

    def gchelper(self) -> None:
        """Count a helper's own."""
        began, spent = time.thread_time(), self.each[-1]
        super().gchelper()
        spent.append(time.thread_time() - began)

    def afterm(self, stats: CycleStats) -> None:
        """Stop counting: what follows are the audits."""
        self.own.append(time.process_time() - self.began[0])
        self.wall.append(time.perf_counter() - self.began[1])
        self.each[-1].append(time.thread_time() - self.began[2])
        super().afterm(stats)

    def marked(self) -> None:
        """Mark once more, plainly."""
        super().marked()
        if not self.plain:
            self.plain.append(self.plainly())

    def plainly(self) -> float:
        """Processor seconds of the plain marker; the bench fails unless it marks the same objects."""
        words, octets = self.port.words, self.octets
        before: list[tuple[int, bytes]] = []
        spanof: dict[int, tuple[int, ...]] = {}
        for span in self.spansinuse():
            objs, nelems = words[span + SPAN.objs], words[span + SPAN.nelems]
            bits = bytes(octets[objs : objs + nelems])
            before.append((objs, bits))
            octets[objs : objs + nelems] = bytes(bit & ~MARKED for bit in bits)
            start = words[span + SPAN.start]
            names = (SPAN.limit, SPAN.elemsize, SPAN.objs, SPAN.masks, SPAN.maskwords)
            first = start - self.arena_start >> self.page_shift
            for page in range(first, first + words[span + SPAN.npages]):
                spanof[page] = (start, *(words[span + name] for name in names))
        roots = [words[cell] for cell in Traversal(self.world, words).rootcells()]
        began = time.thread_time()
        plain(self, spanof, roots)
        took = time.thread_time() - began
        if any(octets[objs : objs + len(bits)] != bits for objs, bits in before):
            raise BenchError("the plain marker has not marked what the protocol's has")
        return took


def plain(m: Timed, spanof: dict[int, tuple[int, ...]], roots: list[int]) -> None:
    """Mark what the pointers `roots` reach."""
    words, octets, slots = m.port.words, m.octets, m.slots
    low, high, shift = m.arena_start, m.arena_end, m.page_shift
    todo: list[tuple[int, int, int]] = []
    pointers: Iterable[int] = roots
    while True:
        for p in pointers:
            if not low <= p < high:
                continue
            span = spanof.get(p - low >> shift)
            if span is None:
                continue
            start, limit, elemsize, objs, masks, maskwords = span
            if p >= limit:
                continue
            index = (p - start) // elemsize
            bits = octets[objs + index]
            if bits & MARKED:
                continue
            octets[objs + index] = bits | MARKED
            if not bits & DEAD:
                todo.append((start + index * elemsize, masks + index * maskwords, maskwords))
        if not todo:
            return
        base, mask, n = todo.pop()
        cell = base // WORD
        if n == 1:
            pointers = [words[cell + slot] for slot in slots[words[mask]]]
        else:
            pointers = [words[cell + 64 * at + slot] for at in range(n) for slot in slots[words[mask + at]]]


def mark(graph: Graph, helpers: int = 0, *, listening: bool = True, binding: str = AUTO) -> Cost:
    """One stopped mark of `graph`, and a plain one behind it."""
    return marking(graph, helpers, listening=listening, binding=binding)[1]


def marking(graph: Graph, helpers: int = 0, *, listening: bool = True, binding: str = AUTO) -> tuple[Stress, Cost]:
    """The same, with the run that did it: of its two marks the first counts."""
    Timed.own.clear()
    Timed.wall.clear()
    Timed.each.clear()
    Timed.plain.clear()
    plan = Plan(
        config=Config(mutators=0, helpers=helpers),
        programs=(),
        cycles=2,
        concurrent=False,
        recorder=listening,
        binding=binding,
        patience=600.0,
    )
    run = Stress(plan, graph, Timed)
    run.run()
    stats = run.reports[0].stats
    gc.collect()  # the run's own garbage, so that it is no pause of a later run
    sleeps = {name: stats.gcstats[name] for name in ("nprocyield", "nosyield", "nsleep")}
    return run, Cost(Timed.own[0], Timed.wall[0], Timed.each[0], Timed.plain[0], stats.scanned, sleeps)
