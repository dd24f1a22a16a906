"""Small programs for the stepped machine, each of which finds a planted fault that a stress run may miss.

A program takes the class of the M it runs: the protocol's own, or one with a fault.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collector.fixtures.pool import buffer, pool
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.parfor import LOW32, PARFOR, THR, Parfor, parforalloc, thr
from collector.runtime import CollectorM
from collector.scenarios.aba import stack
from collector.scenarios.harvestrace import harvest
from mutator.goroutine import Goroutines
from mutator.heap import ALLOCATED, POISON, SPAN, SPAN_IN_USE
from mutator.heap.audit import audit
from mutator.phase import GCmarktermination
from mutator.world import GRUNNABLE, GRUNNING, GSCAN, MRECORD, G
from workbuf.boot import BootPort
from workbuf.buffer import NOBJ, OBJ
from workbuf.getfull import Getfull
from workbuf.lfstack import CNT_BITS, Lfstack
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


def idle(m: type[Parfor]) -> Program:
    """Of two threads one counts as idle and steals once more; the other runs out, and may leave when both are idle."""
    threads, n = 2, 4

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine)
        desc = parforalloc(machine, m.nthrmax)
        records = [MRECORD.allocate(machine, f"m{i}") for i in range(threads)]
        m(BootPort(machine), world, records[0]).parforsetup(desc, threads, n, wait=True, body=print)
        owner, done = thr(desc, 0) + THR.pos, desc + PARFOR.done
        machine.poke(owner, n << 32)
        machine.poke(done, 1)
        executed = machine.word(0, "executed")

        def own(port: Port) -> None:
            while (pos := port.xadd(owner, 1)) & LOW32 <= pos >> 32:
                port.xadd(executed, 1)
            if port.xadd(done, 1) == threads:
                assert port.load(executed) == n, "a thread has left before all was executed"

        def steal(port: Port) -> None:
            stolen, _ = m(port, world, records[1]).stealfrom(owner, done, idle=True)
            if stolen:
                port.xadd(executed, stolen[1] - stolen[0])
                port.xadd(done, 1)

        machine.spawn(own, "owner")
        machine.spawn(steal, "thief")

    return program


def claiming(m: type[Parfor]) -> Program:
    """Two threads run a loop of three turns, of which one may be stolen while its owner claims it."""
    threads, n = 2, 3

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine)
        desc = parforalloc(machine, m.nthrmax)
        records = [MRECORD.allocate(machine, f"m{i}") for i in range(threads)]
        runs = machine.alloc(n, "runs")
        m(BootPort(machine), world, records[0]).parforsetup(desc, threads, n, wait=False, body=print)

        for record in records:
            machine.spawn(lambda port, m0=record: m(port, world, m0).parfordo(desc, lambda i: port.xadd(runs + i, 1)))  # type: ignore[misc]

        def check() -> None:
            found = [machine.peek(runs + i) for i in range(n)]
            assert found == [1] * n, f"the turns of a loop were run {found} times"

        return check

    return program


def counted(m: type[CollectorM]) -> Program:
    """A master and a helper mark; a helper that is counted as done marks no more."""

    def program(machine: SteppedMachine) -> None:
        marking = machine.word(0, "marking")

        class Noting(m):  # type: ignore[misc, valid-type]
            def scanblock(self, *block: int) -> int:
                self.port.store(marking, 1)
                scanned: int = super().scanblock(*block)
                self.port.store(marking, 0)
                return scanned

        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        world, gcm = small.world, small.model.gcm
        small.boot.setphase(GCmarktermination)
        small.boot.resetwork(2)
        small.boot.parforsetup(world.markfor, 2, 0, wait=False, body=print)

        def master(port: Port) -> None:
            me = m(port, world, gcm)
            me.scanblock(0, 0, 0, 0)
            port.sleep(world.work + WORK.alldone)
            assert not port.load(marking), "a helper still marks that is counted as done"

        machine.spawn(master, "master")
        machine.spawn(lambda port: Noting(port, world, small.model.helpers[0]).gchelper(), "helper")

    return program


def starting(m: type[Goroutines]) -> Program:
    """A goroutine begins to run while another M scans its stack: it must not count as scanned afterwards."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine)
        gp = G.allocate(machine, "g1")
        machine.poke(gp + G.status, GRUNNABLE)
        machine.poke(gp + G.gcscanvalid, 1)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]

        def scan(port: Port) -> None:
            me = m(port, world, records[1])
            if me.castogscanstatus(gp, GRUNNABLE, GRUNNABLE | GSCAN):
                port.post(gp + G.gcscanvalid, 1)
                me.casfrom_Gscanstatus(gp, GRUNNABLE | GSCAN, GRUNNABLE)

        machine.spawn(lambda port: m(port, world, records[0]).casgstatus(gp, GRUNNABLE, GRUNNING), "m0")
        machine.spawn(scan, "m1")

        def check() -> None:
            assert not machine.peek(gp + G.gcscanvalid), "the goroutine runs and counts as scanned"

        return check

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


def part(fault: Fault | None, own: type[Local]) -> Any:  # noqa: ANN401  its own type, or a subclass of it
    """The part `own` of an M, with the fault if there is one."""
    return fault.m if fault else own


def whole(fault: Fault | None) -> type[CollectorM]:
    """A whole M, with the fault if there is one."""
    return fault.planted(CollectorM) if fault else CollectorM


PROGRAMS: dict[str, Callable[[Fault | None], Program]] = {
    "push-count-constant": lambda fault: stack(CNT_BITS, part(fault, Lfstack)),
    "getfull-without-cache": lambda fault: cached(part(fault, Getfull)),
    "getfull-late-decrement": lambda fault: pool(part(fault, Getfull), 2, 1),
    "parfor-claim-by-store": lambda fault: claiming(part(fault, Parfor)),
    "ndone-early": lambda fault: counted(whole(fault)),
    "parfor-late-done": lambda fault: idle(part(fault, Parfor)),
    "gcscanvalid-cleared-early": lambda fault: starting(part(fault, Goroutines)),
    "harvest-skips-last": lambda fault: caches(whole(fault)),
    "harvest-skips-idle": lambda fault: caches(whole(fault)),
    "harvest-by-store": lambda fault: harvest(whole(fault)),
    "take-by-store": lambda fault: harvest(whole(fault)),
    "span-swept-twice": lambda fault: swept(whole(fault)),
    "span-swept-early": lambda fault: cachedspan(whole(fault)),
    "black-allocation-off": lambda fault: born(whole(fault)),
    "published-before-zeroed": lambda fault: stale(whole(fault)),
}
"""By the fault's name, the program that finds it; of no fault, the same program of the protocol as it is."""

PLAIN_POINTS = frozenset({"published-before-zeroed"})
"""Those in which plain accesses are steps too: the fault is their order."""
