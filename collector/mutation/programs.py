"""Race programs: small programs for the stepped machine, each of one part of an M, with or without a planted fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.audit.buffers import places
from collector.fixtures.draining import draining
from collector.fixtures.pool import SMALL, buffer, pool
from collector.fixtures.producers import producers
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.mutation import (
    allocating,
    asking,
    cycling,
    finalizerrace,
    greying,
    heaplife,
    heaprace,
    marking,
    safepoints,
    sharing,
    stacks,
    stealing,
    talking,
)
from collector.mutation.race import Race
from collector.parfor import Parfor
from collector.runtime import CollectorM
from collector.scenarios.aba import stack
from collector.scenarios.harvestrace import harvest
from collector.scenarios.parfor import claiming, idle
from collector.scenarios.scanvalid import starting
from mutator.goroutine import Goroutines
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
            assert machine.peek(world.work + WORK.nbuffers) == len(known), "buffers were made that are not counted"

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
        told: list[int] = []
        machine.spawn(lambda port: told.append(m(port, world, model.gcm).harvestwbufs()), "m0")

        def check() -> None:
            assert told == [len(ms)], "it is told that more caches held work, or fewer"
            left = [record for record in ms if machine.peek(record + MRECORD.currentwbuf)]
            assert not left, f"{len(left)} caches are not empty after the harvest"

        return check

    return program


RACES = {
    **asking.RACES,
    **sharing.RACES,
    **greying.RACES,
    **stacks.RACES,
    **cycling.RACES,
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
    "lyingdown": Race(CollectorM, asking.lyingdown),
    "starting": Race(Goroutines, starting),
    "caches": Race(CollectorM, caches),
    "harvest": Race(CollectorM, harvest),
    **heaplife.RACES,
    **finalizerrace.RACES,
    **heaprace.RACES,
    **talking.RACES,
    **safepoints.RACES,
    **allocating.RACES,
    **marking.RACES,
    **stealing.RACES,
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
    "barrier-without-p": "barriers",
    "getempty-unchecked": "unfit",
    "trygetfull-unchecked": "unfit",
    "trygetfull-without-cache": "lookedinto",
    "full-on-partial": "partial-full",
    "assist-caches-rest": "assisting",
    "dead-queued": "shading",
    "parfor-steals-last": "looking",
    "no-concurrent-drain": "ahead",
    "sweep-unfinished": "asleep-stopped",
    "syscall-entry-unchecked": "returning-late",
    "finq-count-first": "queueing",
}
"""By the fault's name, the race program that was written for it, because a stress run may miss it."""
PROGRAMS = {fault: RACES[race] for fault, race in FOUND_BY.items()}
