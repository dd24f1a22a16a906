"""Race programs of the heap: two Ms allocate, mark and sweep at once.

The heap is that of `heapworld`, pages of 64 bytes and four objects of 16 bytes a span, or that of a small world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.worlds import SmallWorld
from collector.mutation.heapshared import Shared, sweepall
from collector.mutation.heapworld import GOAL, GOGC
from collector.mutation.race import Race
from collector.runtime import CollectorM
from mutator.heap import (
    ALLOCATED,
    MARKED,
    POISON,
    SPAN,
    SPAN_IN_USE,
    HeapLocal,
)
from mutator.heap.audit import audit
from mutator.phase import GCmarktermination
from mutator.world import MRECORD
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


def sweepers(m: type[HeapLocal]) -> Program:
    """Two Ms sweep two spans of dead objects; every one that goes is counted, and the goal comes nearer."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        shared.spans(2)
        shared.collected()
        shared.run(sweepall, sweepall)

        def check() -> None:
            shared.wellkept()
            assert shared.stat("nfree") == 8, "objects were freed that are not counted"
            assert shared.stat("next_gc") == GOAL - 8 * 16 * (100 + GOGC) // 100, "the goal is not what the sweep left"

        return check

    return program


def counting(m: type[HeapLocal]) -> Program:
    """Two Ms fill a span each, and count what they have allocated when they get another."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)

        def fills(me: HeapLocal) -> None:
            for _ in range(5):
                me.mallocgc(16, 1)

        shared.run(fills, fills)

        def check() -> None:
            assert shared.stat("nmalloc") == 8, "objects were allocated that are not counted"
            assert shared.stat("heap_alloc") == 8 * 16, "bytes were allocated that are not counted"

        return check

    return program


def reused(m: type[HeapLocal]) -> Program:
    """A record that is used again, of a span of two collections ago, is no span that was left unswept."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        shared.spans(1)
        shared.collected()
        shared.collected()
        shared.run(lambda me: me.mallocgc(16, 1), sweepall)
        return shared.wellkept

    return program


def beside(m: type[HeapLocal]) -> Program:
    """An object that is born marked lies beside one that another M marks."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m)
        hbits = shared.boot.heapBitsForObject(shared.boot.mallocgc(16, 1))[1]
        machine.poke(shared.world.gcphase, GCmarktermination)
        shared.run(lambda me: me.mallocgc(16, 1), lambda me: me.port.or8(hbits, MARKED))

        def check() -> None:
            two = machine.peek(hbits // WORD) >> hbits % WORD * 8 & 0xFFFF
            assert two == (ALLOCATED | MARKED) * 0x101, "a mark is lost"

        return check

    return program


def passedover(m: type[HeapLocal]) -> Program:
    """The arena is full and its first span with a free slot is being swept: the next one is found behind it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        shared = Shared(machine, m, pages=2)
        (*one, _), (*other, _) = shared.spans(2)
        first, second = (shared.boot.spanOf(p) for p in (one[0], other[0]))
        for _ in range(2):
            shared.collected(*one, *other)
            shared.boot.ensure_swept(second)
        shared.run(lambda me: me.ensure_swept(first), lambda me: me.mallocgc(16, 1))
        return shared.wellkept

    return program


def stale(m: type[CollectorM]) -> Program:
    """A slot is used again while a marker comes by it with a pointer to the object that was there."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        boot, world = small.boot, small.world
        obj = boot.mallocgc(WORD, 1)
        span = boot.spanOf(obj)
        hbits = boot.heapBitsForObject(obj)[1]
        machine.poke(hbits // WORD, machine.peek(hbits // WORD) & ~(0xFF << hbits % WORD * 8))
        for field, value in ((SPAN.needzero, 1), (SPAN.freeindex, 0), (SPAN.nalloc, 0)):
            machine.poke(span + field, value)
        machine.poke(obj // WORD, POISON)

        def mark(port: Port) -> None:
            if port.load(hbits // WORD) >> hbits % WORD * 8 & ALLOCATED:
                assert port.hint(obj // WORD) != POISON, "a marker has met the poison of the object before"

        machine.spawn(lambda port: m(port, world, small.model.gcm).mallocgc(WORD, 1), "mutator")
        machine.spawn(mark, "marker")

    return program


def born(m: type[CollectorM]) -> Program:
    """While mark termination runs, and has scanned the globals, a mutator allocates what a global then points to."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, mutator = small.world, small.model.mutators[0]
        small.boot.setphase(GCmarktermination)

        def allocate(port: Port) -> None:
            port.store(world.data.base, m(port, world, mutator).mallocgc(WORD, 1))

        machine.spawn(allocate, "mutator")

        def check() -> None:
            assert not small.lost(), "an object is reachable, and was born white"

        return check

    return program


def swept(m: type[CollectorM]) -> Program:
    """Two Ms come to sweep the same span; what it held is freed once."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small, span, _ = unswept(machine, m)
        for number, record in enumerate((small.model.gcm, *small.model.mutators)):
            machine.spawn(lambda port, record=record: m(port, small.world, record).ensure_swept(span), f"m{number}")  # type: ignore[misc]
        return lambda: wellkept(small)

    return program


def cachedspan(m: type[CollectorM]) -> Program:
    """One M sweeps a span while another looks for one to allocate from."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small, span, spanclass = unswept(machine, m)
        gcm, mutator = small.model.gcm, small.model.mutators[0]

        def allocate(port: Port) -> None:
            m(port, small.world, mutator).mcache_refill(spanclass)

        machine.spawn(lambda port: m(port, small.world, gcm).ensure_swept(span), "sweeper")
        machine.spawn(allocate, "mutator")

        def check() -> None:
            wellkept(small)
            got = machine.peek(machine.peek(mutator + MRECORD.mcache) + spanclass)
            assert machine.peek(got + SPAN.state) == SPAN_IN_USE, "an mcache has a span that was given back"

        return check

    return program


def unswept(machine: SteppedMachine, m: type[CollectorM]) -> tuple[SmallWorld, int, int]:
    """A span with two dead objects, to be swept and given back; and its class."""
    small = SmallWorld(machine, m=m)
    boot = small.boot
    span = boot.spanOf(small.objects([[], []])[0])
    boot.flushallmcaches()
    boot.arm_sweep()
    return small, span, machine.peek(span + SPAN.spanclass)


def wellkept(small: SmallWorld) -> None:
    """The heap adds up."""
    problems = audit(small.machine, small.world.heap)
    assert not problems, problems[0]


RACES = {
    "reused": Race(HeapLocal, reused),
    "beside": Race(HeapLocal, beside),
    "passedover": Race(HeapLocal, passedover),
    "sweepers": Race(HeapLocal, sweepers),
    "counting": Race(HeapLocal, counting),
    "swept": Race(CollectorM, swept),
    "cachedspan": Race(CollectorM, cachedspan),
    "born": Race(CollectorM, born),
    "stale": Race(CollectorM, stale, plain_points=True),
}
"""By name; the first three are proved in a few schedules."""
