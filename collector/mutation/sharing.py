"""Race programs of how markers share work and memory, by one thread.

Who waits helps, half a buffer is handed over, a cache is looked into, and memory comes out of chunks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from collector.fixtures.pool import SMALL, buffer
from collector.fixtures.worlds import CONFIG, NIL, SmallWorld
from collector.mutation.heapworld import Taking, throws
from collector.mutation.marking import FusedM
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.phase import GCmark
from workbuf.boot import BootPort
from workbuf.buffer import NOBJ, OBJ, WORKBUF
from workbuf.getfull import ACTIVE_SPINS, PASSIVE_SPINS, Getfull
from workbuf.hardware.machine import HardwareMachine
from workbuf.lfstack import Lfstack
from workbuf.lists import CACHE_LINE, MAX_BLOCK, Lists
from workbuf.local import MLOCAL, WORK, Globals
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Machine, Port

LOADS = 1000
"""Loads of a thread that goes round for ever."""
AFTER = PASSIVE_SPINS + 3
"""Pauses after which there is work."""


class Waiting:
    """A port of set-up that may wait: what is waited for happens in a pause, and a wait that does not end is an error."""

    def __init__(self, machine: Machine, meanwhile: Callable[[int], object], most: int) -> None:
        self.port = BootPort(machine)
        self.meanwhile = meanwhile
        """Called in each pause, with the pauses that there were."""
        self.most = most
        self.pauses: list[Pause] = []
        self.loads = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        return getattr(self.port, name)

    def pause(self, kind: Pause, n: int) -> None:
        """Others get on."""
        del n
        self.pauses.append(kind)
        assert len(self.pauses) <= self.most, "it waits, and need not"
        self.meanwhile(len(self.pauses))

    def load(self, a: int) -> int:
        """That cell."""
        self.loads += 1
        assert self.loads < LOADS, "it goes round, and never waits"
        return self.port.load(a)


def helps(m: type[Getfull]) -> Program:
    """Whoever waits for the end of the mark takes what is queued meanwhile; it spins, yields, and then sleeps."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world, b = Globals.allocate(machine, wbufsize=SMALL), buffer(machine, 0)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]
        machine.poke(world.work + WORK.nproc, 2)
        machine.poke(b + WORKBUF.inuse, 1)
        machine.poke(b + NOBJ, 1)
        other = m(BootPort(machine), world, records[1])

        def meanwhile(pauses: int) -> None:
            if pauses == AFTER:
                other.putfull(b, 358)

        def waits() -> None:
            port = Waiting(machine, meanwhile, AFTER)
            assert m(cast("Port", port), world, records[0]).getfull(504) == b, "a participant leaves, or takes no work"
            ways = [Pause.PROCYIELD] * ACTIVE_SPINS + [Pause.OSYIELD] * (PASSIVE_SPINS - ACTIVE_SPINS)
            assert port.pauses == ways + [Pause.USLEEP] * (AFTER - PASSIVE_SPINS), "it waits in another way"
            assert not machine.peek(world.work + WORK.nwait), "a participant that has work counts as waiting"

        return atonce(waits)

    return program


def handsover(m: type[CollectorM], machine: Machine, port: Port) -> Callable[[], object]:
    """A marker that has enough gives half of it away while another waits and nothing is on full, and keeps it else."""
    small = SmallWorld(machine, replace(CONFIG, mutators=0))
    boot, me = small.boot, m(port, small.world, small.model.gcm)
    work, objects = small.world.work, small.objects([[NIL]] * me.len_obj)
    machine.poke(small.world.gcphase, GCmark)

    def marks(waiting: int) -> int:
        machine.poke(work + WORK.nwait, waiting)
        b = boot.getempty(460)
        machine.poke(b + NOBJ, len(objects))
        for i, obj in enumerate(objects):
            machine.poke(b + OBJ + i, obj)
        me.drainworkbuf(b, all=False)
        return machine.peek(boot.popfull(504) + NOBJ) if machine.peek(work + WORK.full) else 0

    def twice() -> None:
        assert not marks(waiting=0), "work is given away that nobody waits for"
        assert marks(waiting=1) == len(objects) - len(objects) // 2, "another waits, and is not given half of the work"

    return atonce(twice)


def handing(m: type[CollectorM]) -> Program:
    """By the methods."""
    return lambda machine: handsover(m, machine, BootPort(machine))


def fusedhanding(m: type[FusedM]) -> Program:
    """By the loop that has them written out, on the hardware machine."""

    def program(_: SteppedMachine) -> Callable[[], object]:
        machine = HardwareMachine(words=1 << 14)
        return handsover(m, machine, machine.boot())

    return program


def chunks(m: type[Lists]) -> Program:
    """Small pieces of memory come out of a chunk, one behind the other; a large one comes from the system, and leaves it."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        port = Taking(BootPort(machine))
        me = m(cast("Port", port), Globals.allocate(machine, wbufsize=SMALL), MLOCAL.allocate(machine, "m0"))

        def takes() -> None:
            first = me.persistentalloc(2 * WORD, WORD)
            me.persistentalloc(MAX_BLOCK, WORD)
            assert me.persistentalloc(WORD, WORD) == first + 2 * WORD, "a piece does not lie behind the one before"
            sizes = [n for _, n in port.taken]
            assert sizes == [me.chunk // WORD, MAX_BLOCK // WORD], "memory is taken from the system that there was"

        return atonce(takes)

    return program


def lookedinto(m: type[Lists]) -> Program:
    """Whoever looks for work without waiting finds what its own cache holds; an empty buffer in there goes to empty."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world, record = Globals.allocate(machine, wbufsize=SMALL), MLOCAL.allocate(machine, "m0")
        me, b = m(BootPort(machine), world, record), buffer(machine, 0)
        machine.poke(b + WORKBUF.inuse, 1)

        def looks() -> None:
            for held in (1, 0):
                machine.poke(b + NOBJ, held)
                me.cache(b)
                assert me.trygetfull(545) == held * b, "it is not what lay in the cache"
            assert me.lfstackpop(me.work_empty) == b, "an empty buffer is lost that lay in a cache"

        return atonce(looks)

    return program


def unfit(m: type[Lists]) -> Program:
    """A buffer that does not belong on the list where it lies is noticed by whoever takes it off."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world, record = Globals.allocate(machine, wbufsize=SMALL), MLOCAL.allocate(machine, "m0")
        me, bad = m(BootPort(machine), world, record), [buffer(machine, i) for i in range(2)]

        def takes() -> None:
            machine.poke(bad[0] + NOBJ, 1)
            me.lfstackpush(me.work_empty, bad[0])
            me.lfstackpush(me.work_full, bad[1])
            assert throws("workbuf is not empty", lambda: me.getempty(359)), "a buffer was taken for an empty one"
            assert throws("workbuf is empty", lambda: me.trygetfull(545)), "an empty buffer was taken for work"

        return atonce(takes)

    return program


def unlogged(m: type[Lists]) -> Program:
    """Where buffers are not debugged, nothing is noted of who gets and puts them."""

    class Off(m):  # type: ignore[misc, valid-type]
        _Debugwbufs = False

    def program(machine: SteppedMachine) -> Callable[[], object]:
        me, b = (
            Off(BootPort(machine), Globals.allocate(machine, wbufsize=SMALL), MLOCAL.allocate(machine, "m0")),
            buffer(machine, 0),
        )

        def notes() -> None:
            for log, inuse in ((me.logget, 0), (me.logput, 1)):
                machine.poke(b + WORKBUF.inuse, inuse)
                log(b, 504)
                noted = [machine.peek(b + field) for field in (WORKBUF.inuse, WORKBUF.log0)]
                assert noted == [inuse, 0], "a buffer is noted to be got or put"

        return atonce(notes)

    return program


class Wide:
    """An address space of which every cell is there."""

    def __init__(self) -> None:
        words: defaultdict[int, int] = defaultdict(int)
        self.peek, self.poke = words.__getitem__, words.__setitem__


def upperhalf(m: type[Lfstack]) -> Program:
    """Nodes at both ends of the address space are pushed and popped."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        me = m(BootPort(cast("Machine", Wide())), Globals.allocate(machine), MLOCAL.allocate(machine, "m0"))
        nodes = [CACHE_LINE // WORD, (1 << 64) // WORD - CACHE_LINE]

        def both() -> None:
            for node in nodes:
                me.lfstackpush(1, node)
            assert [me.lfstackpop(1) for _ in nodes] == nodes[::-1], "another node is popped than was pushed"

        return atonce(both)

    return program


RACES = {
    "helps": Race(Getfull, helps),
    "handsover": Race(CollectorM, handing),
    "handsover-fused": Race(FusedM, fusedhanding),
    "chunks": Race(Lists, chunks),
    "lookedinto": Race(Lists, lookedinto),
    "unfit": Race(Lists, unfit),
    "unlogged": Race(Lists, unlogged),
    "upperhalf": Race(Lfstack, upperhalf),
}
"""By name; none has schedules."""
