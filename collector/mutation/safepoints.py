"""Race programs of safepoints and barriers: who is stopped, who has a P, who is asked what, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.worlds import SmallWorld
from collector.hunt.worlds import TimelessM
from collector.mutation.heapworld import throws
from collector.mutation.race import Race, atonce
from collector.runtime import CollectorM
from mutator.heap import MARKED
from mutator.phase import GCmark, GCoff, GCscan
from mutator.world import GRUNNABLE, GRUNNING, GSCAN, MRECORD, PRUNNING, PSYSCALL, RUNTIME, SCHED, G, P
from workbuf.boot import BootPort
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

NOTHING = 1
"""No pointer."""
NO_P = "writebarrierptr_nostore1 called with mp.p == nil"


def barriers(m: type[CollectorM]) -> Program:
    """A store while the barrier is off, one by an M without a P, and one inside another."""

    class Nests(m):  # type: ignore[misc, valid-type]
        shaded = 0

        def shade(self, b: int) -> None:
            self.shaded += 1
            self.writebarrierptr_nostore1(b)
            super().shade(b)

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Nests)
        mutator = small.model.mutators[0]
        small.running(mutator)
        me, obj = Nests(BootPort(machine), small.world, mutator), small.boot.mallocgc(WORD, 1)
        slot = small.world.bss.slot(0)

        def marked() -> int:
            bits: int = me.heapBitsForObject(obj)[2]
            return bits & MARKED

        def stores() -> None:
            me.writebarrierptr(slot, NOTHING)
            me.writebarrierptr_nostore1(obj)
            assert not marked(), "a barrier has marked something outside of a mark"
            machine.poke(small.world.gcphase, GCmark)
            assert throws("bad pointer in write barrier", lambda: me.writebarrierptr(slot, NOTHING)), "it went unseen"
            assert not marked()
            me.writebarrierptr(slot, obj)
            assert (me.shaded, bool(marked())) == (1, True), "one barrier inside another was not dropped"
            for gives, takes in ((me.entersyscall, me.exitsyscall), (me.releasep, me.acquirep)):
                gives()
                assert throws(NO_P, lambda: me.writebarrierptr(slot, obj)), "a barrier without a P went unseen"
                machine.poke(small.world.gcphase, GCoff)
                me.writebarrierptr(slot, obj)
                machine.poke(small.world.gcphase, GCmark)
                takes()

        return atonce(stores)

    return program


def polls(m: type[CollectorM]) -> Program:
    """At a poll a goroutine does what it was asked, and then nothing is asked of it any more."""

    class Stops(m):  # type: ignore[misc, valid-type]
        p: int
        stopped = 0

        def stopm(self) -> None:
            self.stopped += 1
            assert self.readgstatus(self.curg) == GRUNNABLE, "a stopped goroutine is not one that could run"
            assert not self.p, "a stopped M counts as having a P"
            self.port.store(self.ownp + P.status, PRUNNING)
            self.p = self.ownp

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Stops)
        model, sched = small.model, small.world.sched
        mutator = model.mutators[0]
        small.running(model.gcm, mutator)
        me, gc = (Stops(BootPort(machine), small.world, record) for record in (mutator, model.gcm))
        machine.poke(small.world.gcphase, GCscan)

        def asked() -> list[int]:
            return [machine.peek(me.curg + field) for field in (G.preempt, G.preemptscan, G.stackguard)]

        def both() -> None:
            for stopping in (1, 0):
                machine.poke(sched + SCHED.gcwaiting, stopping)
                machine.poke(sched + SCHED.stopwait, 1)
                gc.preemptone(me.curg)
                assert asked()[0], "a goroutine that is to stop is not told"
                me.poll()
                assert asked() == [0, 0, 0], "a goroutine has come by a poll and is still asked to stop"
            assert me.stopped == 1, "a goroutine stops although nobody waits for it"
            gc.stopg(me.curg)
            me.poll()
            assert asked() == [0, 0, 0], "a goroutine has scanned itself and is still asked to"
            assert machine.peek(me.curg + G.status) == GRUNNING

        return atonce(both)

    return program


def askedagain(m: type[CollectorM], *, scanning: bool) -> Program:
    """A goroutine comes by a poll, to stop or to scan itself, while it is asked to scan itself: that request is not lost."""

    class Noting(m):  # type: ignore[misc, valid-type]
        asks = False

        def casfrom_Gscanstatus(self, gp: int, old: int, new: int) -> None:  # noqa: N802  Go's name
            self.asks |= old == GRUNNING | GSCAN
            super().casfrom_Gscanstatus(gp, old, new)

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Noting)
        model, world = small.model, small.world
        mutator = model.mutators[0]
        small.running(model.gcm, mutator)
        machine.poke(world.gcphase, GCscan)
        gp = small.boot.allgs()[1]
        if scanning:
            small.boot.stopg(gp)
        else:
            small.boot.preemptone(gp)
        asks: list[bool] = []

        def collects(port: Port) -> None:
            gc = Noting(port, world, model.gcm)
            port.post(gp + G.gcworkdone, 0)
            if gc.stopg(gp):
                gc.restartg(gp)
            asks.append(gc.asks)

        machine.spawn(lambda port: Noting(port, world, mutator).poll(), "mutator")
        machine.spawn(collects, "gc")

        def check() -> None:
            done = machine.peek(gp + G.gcworkdone) or small.boot.asked(gp)
            assert done or not asks[0], "a goroutine was asked to scan itself, and does not know of it"

        return check

    return program


def returning(m: type[CollectorM], *, away: bool) -> Program:
    """A goroutine is in a system call when the world stops, and comes back; `away`: when that is done."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        model, world = small.model, small.world
        back, gone = machine.word(0, "back"), machine.word(0, "gone")
        own = machine.peek(model.mutators[0] + MRECORD.p)

        class Waits(m):  # type: ignore[misc, valid-type]
            rounds = 0

            def preemptall(self) -> None:
                super().preemptall()
                self.rounds += 1
                called = self.rounds > 1 and self.port.load(gone) and self.port.load(own + P.status) == PSYSCALL
                assert not called, "the world waits for a goroutine that is in a system call"

        def calls(me: CollectorM) -> None:
            me.entersyscall()
            if away:
                me.port.store(gone, 1)
                me.port.sleep(back)
            me.exitsyscall()
            assert not me.port.load(world.runtime + RUNTIME.stopping), "a goroutine runs in the stopped world"

        def collects(me: CollectorM) -> None:
            me.stoptheworld()
            me.port.store(world.runtime + RUNTIME.stopping, 1)
            me.port.wake(back)
            me.port.store(world.runtime + RUNTIME.stopping, 0)
            me.starttheworld()

        machine.spawn(lambda port: m(port, world, model.mutators[0]).mstart(calls), "mutator")
        machine.spawn(lambda port: Waits(port, world, model.gcm).mstart(collects), "gc")

    return program


RACES = {
    "barriers": Race(CollectorM, barriers),
    "polls": Race(CollectorM, polls),
    "askedagain": Race(CollectorM, lambda m: askedagain(m, scanning=False)),
    "askedagain-scanning": Race(CollectorM, lambda m: askedagain(m, scanning=True)),
    "returning": Race(TimelessM, lambda m: returning(m, away=False)),
    "returning-late": Race(TimelessM, lambda m: returning(m, away=True)),
}
"""By name; the first two have no schedules, the next two are proved in a few."""
