"""Race programs: small programs for the stepped machine, each of one part of an M, with or without a planted fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from collector.audit.buffers import places
from collector.fixtures.draining import draining
from collector.fixtures.pool import SMALL, buffer, pool
from collector.fixtures.producers import producers
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.hunt.worlds import TimelessM
from collector.mutation.asking import asleep, background, lyingdown, neighbours, scansitself
from collector.parfor import Parfor
from collector.runtime import CollectorM
from collector.scenarios.aba import stack
from collector.scenarios.harvestrace import harvest
from collector.scenarios.parfor import claiming, idle
from collector.scenarios.scanvalid import starting
from mutator.goroutine import Goroutines
from mutator.heap import ALLOCATED, POISON, SPAN, SPAN_IN_USE
from mutator.heap.audit import audit
from mutator.phase import GCmarktermination
from mutator.world import MRECORD
from workbuf.boot import BootPort, BootWords
from workbuf.buffer import NOBJ, OBJ, capacity
from workbuf.getfull import Getfull
from workbuf.lfstack import CNT_BITS, Lfstack
from workbuf.lists import Lists
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from collector.faults.fault import Fault
    from workbuf.local import Local
    from workbuf.machine import Port


def cached(m: type[Getfull]) -> Program:
    """The only work there is lies in the cache of the M that looks for some."""

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine, wbufsize=112)
        machine.poke(world.work + WORK.nproc, 1)
        b, record = buffer(machine, 0), MLOCAL.allocate(machine, "m0")
        machine.poke(b + NOBJ, 1)
        machine.poke(b + OBJ, WORD)
        machine.poke(record + MLOCAL.currentwbuf, b * WORD)

        def participant(port: Port) -> None:
            assert m(port, world, record).getfull(504) == b, "the mark ended with work in a cache"

        machine.spawn(participant, "m0")

    return program


def fresh(m: type[Lists]) -> Program:
    """Two Ms make new buffers at once, there being no empty ones."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine, wbufsize=112)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        made: list[list[int]] = [[], []]

        def body(number: int) -> Callable[[Port], None]:
            return lambda port: made[number].append(m(port, world, records[number]).getempty(359))

        for number in range(2):
            machine.spawn(body(number), f"m{number}")

        def check() -> None:
            known = places(world, BootWords(machine), records).made
            assert sorted(known) == sorted(made[0] + made[1]), "two Ms have made the same buffer, or one is not known"

        return check

    return program


def counted(m: type[CollectorM], helpers: int = 1) -> Program:
    """A master and helpers mark; a helper that is counted as done marks no more, and the last one wakes the master."""

    def program(machine: SteppedMachine) -> None:
        marking = machine.word(0, "marking")

        class Noting(m):  # type: ignore[misc, valid-type]
            def scanblock(self, *block: int) -> int:
                self.port.store(marking, 1)
                scanned: int = super().scanblock(*block)
                self.port.store(marking, 0)
                return scanned

        small = SmallWorld(machine, replace(CONFIG, helpers=helpers), m)
        world, gcm = small.world, small.model.gcm
        small.boot.setphase(GCmarktermination)
        small.boot.resetwork(1 + helpers)
        small.boot.parforsetup(world.markfor, 1 + helpers, 0, wait=False, body=print)

        def master(port: Port) -> None:
            me = m(port, world, gcm)
            me.scanblock(0, 0, 0, 0)
            port.sleep(world.work + WORK.alldone)
            assert not port.load(marking), "a helper still marks that is counted as done"

        machine.spawn(master, "master")
        for i, record in enumerate(small.model.helpers):
            machine.spawn(lambda port, record=record: Noting(port, world, record).gchelper(), f"helper{i + 1}")  # type: ignore[misc]

    return program


def caches(m: type[CollectorM]) -> Program:
    """Every M has left a buffer in its cache, the one without a P too, when the stopped world is harvested."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        model, world = small.model, small.world
        ms = [model.gcm, *model.mutators, *model.helpers]
        for record in ms:
            me = m(BootPort(machine), world, record)
            b = me.getempty(1181)
            machine.poke(b + NOBJ, 1)
            me.cache(b)
        machine.spawn(lambda port: m(port, world, model.gcm).harvestwbufs(), "m0")

        def check() -> None:
            left = [record for record in ms if machine.peek(record + MRECORD.currentwbuf)]
            assert not left, f"{len(left)} caches are not empty after the harvest"

        return check

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


@dataclass(frozen=True)
class Race:
    """A race program, which is given the class of the M that it runs."""

    part: type[Local]
    """The part of an M that it is about: the M is the protocol's own, or that with a fault."""
    make: Callable[[Any], Program]
    plain_points: bool = False
    """Plain accesses are steps too: the fault is their order."""

    def program(self, fault: Fault | None = None) -> Program:
        """The program of the protocol, or of the protocol with that fault."""
        return self.make(fault.planted(self.part) if fault else self.part)

    def takes(self, fault: Fault) -> bool:
        """Has this part what the fault changes?"""
        return issubclass(self.part, fault.changes)


RACES = {
    "background": Race(CollectorM, background),
    "scansitself": Race(CollectorM, scansitself),
    "asleep": Race(TimelessM, lambda m: asleep(m, (0, 0))),
    "asleep-stopped": Race(TimelessM, lambda m: asleep(m, (1, 2))),
    "neighbours": Race(CollectorM, neighbours),
    "stack": Race(Lfstack, lambda m: stack(CNT_BITS, m)),
    "cached": Race(Getfull, cached),
    "pool": Race(Getfull, lambda m: pool(m, 2, 1)),
    "partial": Race(Lists, lambda m: lambda machine: producers(machine, 2, 1, m)),
    "partial-full": Race(Lists, lambda m: lambda machine: producers(machine, 2, capacity(SMALL) - 1, m)),
    "fresh": Race(Lists, fresh),
    "draining": Race(CollectorM, draining),
    "claiming": Race(Parfor, claiming),
    "idle": Race(Parfor, idle),
    "counted": Race(CollectorM, counted),
    "counted-twice": Race(CollectorM, lambda m: counted(m, helpers=2)),
    "lyingdown": Race(CollectorM, lyingdown),
    "starting": Race(Goroutines, starting),
    "caches": Race(CollectorM, caches),
    "harvest": Race(CollectorM, harvest),
    "swept": Race(CollectorM, swept),
    "cachedspan": Race(CollectorM, cachedspan),
    "born": Race(CollectorM, born),
    "stale": Race(CollectorM, stale, plain_points=True),
}
"""By name; the first are proved in a few schedules, and take no time from the others."""
FOUND_BY = {
    "push-count-constant": "stack",
    "getfull-without-cache": "cached",
    "getfull-late-decrement": "pool",
    "parfor-claim-by-store": "claiming",
    "ndone-early": "counted",
    "parfor-late-done": "idle",
    "gcscanvalid-cleared-early": "starting",
    "harvest-skips-last": "caches",
    "harvest-skips-idle": "caches",
    "harvest-by-store": "harvest",
    "take-by-store": "harvest",
    "span-swept-twice": "swept",
    "span-swept-early": "cachedspan",
    "black-allocation-off": "born",
    "published-before-zeroed": "stale",
}
"""By the fault's name, the race program that was written for it, because a stress run may miss it."""
PROGRAMS = {fault: RACES[race] for fault, race in FOUND_BY.items()}
