"""Race programs of who asks whom: for a collection, for help, for a scan of one's own stack, for a stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.worlds import CONFIG, NIL, SmallWorld
from collector.hunt.worlds import TimelessM
from collector.mutation.race import Race
from collector.runtime import CollectorM
from mutator.heap import CHECKMARKED, MARKED, SPAN, SPAN_IN_USE
from mutator.phase import GCscan
from mutator.world import GWAITING, MRECORD, RUNTIME, SCHED, G
from workbuf.boot import BootPort


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

EAGER = 2
"""gcwork's argument for a sweep in the same stop."""


def background(m: type[CollectorM]) -> Program:
    """The background collector is asked three times at most, and turns twice: asked at first, then perhaps by the clock."""

    class Noting(m):  # type: ignore[misc, valid-type]
        forces: list[int]
        sweeps = 0

        def gcwork(self, force: int) -> None:
            self.forces.append(force)

        def bgsweep(self) -> None:
            self.sweeps += 1

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=Noting)
        model, runtime = small.model, small.world.runtime

        def collect(port: Port) -> None:
            me = Noting(port, small.world, model.gcm)
            me.forces = []
            assert me.background(-1), "a collection that was asked for counts as one by the clock"
            assert me.forces == [1], "the collection was not made as it was asked for"
            me.background(1)
            assert (len(me.forces), me.sweeps) == (2, 2), "a turn has not collected and swept"

        def ask(port: Port) -> None:
            me = Noting(port, small.world, model.mutators[0])
            for _ in range(3):
                me.gogc(1)

        machine.spawn(collect, "gc")
        machine.spawn(ask, "mutator")

        def check() -> None:
            working, note, force = (
                machine.peek(runtime + field) for field in (RUNTIME.bggc_working, RUNTIME.bggc_note, RUNTIME.bggc_force)
            )
            assert working == note == force, "a request is half there, and none can be made any more"

        return check

    return program


def waiting(m: type[CollectorM]) -> Program:
    """The background collector's rest ends by the clock or because it is asked, and it knows which."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        model, runtime = small.model, small.world.runtime
        tick = machine.word(0, "tick")
        asked: list[bool] = []
        machine.spawn(lambda port: asked.append(m(port, small.world, model.gcm).waitwork(1)), "gc")

        def asks(port: Port) -> None:
            port.sleep(tick, 1)  # or it is never the clock that ends the rest
            m(port, small.world, model.mutators[0]).gogc(1)

        machine.spawn(asks, "mutator")

        def check() -> None:
            assert not machine.peek(runtime + RUNTIME.bggc_note), "a request was granted, and wakes the collector again"
            assert asked == [bool(machine.peek(runtime + RUNTIME.bggc_force))], (
                "it was asked, or not, and says otherwise"
            )

        return check

    return program


def lyingdown(m: type[CollectorM]) -> Program:
    """Helpers lie down while a master counts and wakes those that lie there."""

    class Brief(m):  # type: ignore[misc, valid-type]
        def gchelper(self) -> None:
            """Not what this is about."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=2, gomaxprocs=3), Brief)
        world, model = small.world, small.model

        def master(port: Port) -> None:
            me = Brief(port, world, model.gcm)
            me.helpgc(me.gcprocs())
            port.lock(world.sched + SCHED.lock)
            lying, idle = port.words[world.sched + SCHED.midle], 0
            while lying:
                lying, idle = port.words[lying + MRECORD.schedlink], idle + 1
            assert port.words[world.sched + SCHED.nmidle] == idle, "those that lie idle are not as many as are counted"
            port.unlock(world.sched + SCHED.lock)
            me.dismissidle()

        machine.spawn(master, "master")
        for i, record in enumerate(model.helpers):
            machine.spawn(lambda port, record=record: Brief(port, world, record).idlem(), f"helper{i + 1}")  # type: ignore[misc]

        def check() -> None:
            left = [machine.peek(world.sched + field) for field in (SCHED.midle, SCHED.nmidle)]
            assert left == [0, 0], "helpers that were sent home still lie idle"

        return check

    return program


def scansitself(m: type[CollectorM]) -> Program:
    """A running goroutine was asked to scan itself, and comes to its next poll."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, mutator = small.world, small.model.mutators[0]
        small.running(small.model.gcm, mutator)
        machine.poke(world.gcphase, GCscan)
        gp = machine.peek(mutator + MRECORD.curg)

        def both(port: Port) -> None:
            m(port, world, small.model.gcm).stopg(gp)
            m(port, world, mutator).poll()
            assert port.hint(gp + G.gcworkdone), "a goroutine has come by a poll and has not scanned itself"

        machine.spawn(both, "m0")

    return program


def asleep(m: type[TimelessM], forces: Sequence[int]) -> Program:
    """Collections while a goroutine waits, whose stack alone holds an object; that with force 2 sweeps at once.

    `forces`: gcwork's argument, a collection each.
    """

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = m(BootPort(machine), world, model.mutators[0])
        obj = small.objects([[]])[0]
        machine.poke(mutator.call(1), obj)
        machine.poke(mutator.curg + G.status, GWAITING)

        def collects(me: TimelessM) -> None:
            for force in forces:
                me.gcwork(force)
                if force < EAGER:
                    me.bgsweep()

        machine.spawn(lambda port: m(port, world, model.gcm).mstart(collects), "gc")

        def check() -> None:
            spans = [span for span in small.boot.allspans() if machine.peek(span + SPAN.state) == SPAN_IN_USE]
            assert all(map(small.boot.isswept, spans)), "a collection that was to sweep at once has left a span unswept"

        return check

    return program


def neighbours(m: type[CollectorM]) -> Program:
    """Two markers of the verifying mark come to objects whose bits are in one word."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        world, model = small.world, small.model
        objects = small.objects([[NIL], [NIL]])
        found = [small.boot.heapBitsForObject(obj) for obj in objects]
        for _, hbits, _ in found:
            small.boot.port.or8(hbits, MARKED)
        machine.poke(world.runtime + RUNTIME.checkmarkphase, 1)
        held = [small.boot.getempty(460) for _ in objects]

        def marker(record: int, obj: int, wbuf: int) -> Callable[[Port], object]:
            def body(port: Port) -> None:
                me = m(port, world, record)
                me.readcheckmark()
                me.greyobject(obj, 0, 0, *me.heapBitsForObject(obj)[1:], wbuf)

            return body

        for record, obj, wbuf in zip((model.gcm, *model.helpers), objects, held, strict=True):
            machine.spawn(marker(record, obj, wbuf), f"m{record}")

        def check() -> None:
            for obj in objects:
                assert small.boot.heapBitsForObject(obj)[2] & CHECKMARKED, "a mark of the verifying mark is lost"

        return check

    return program


RACES = {
    "waiting": Race(CollectorM, waiting),
    "background": Race(CollectorM, background),
    "scansitself": Race(CollectorM, scansitself),
    "asleep": Race(TimelessM, lambda m: asleep(m, (0, 0))),
    "asleep-stopped": Race(TimelessM, lambda m: asleep(m, (1, 2))),
    "neighbours": Race(CollectorM, neighbours),
}
"""By name; all are proved in a few schedules."""
