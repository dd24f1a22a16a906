"""One run on the stepped machine: at every step each M that can go is equally likely, as if each had a processor of its own.

So contention can be counted at numbers of processors that no machine here has, and time is counted in steps: an atomic, a
hint, a pause of whatever length.  The run is the same for the same seed, everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from collector.compare.counting import Timing, counting
from collector.compare.figures import Figures
from collector.compare.setup import Failed
from collector.explore.machine.carrier import Greenlets
from collector.explore.machine.machine import SteppedMachine
from collector.explore.program import no_collection
from collector.explore.strategies.base import Options
from collector.explore.strategies.walk import RandomWalk
from collector.runtime import AuditedM, Config, Model
from collector.stress.placement import load, sized
from mutator.programs.registry import assign, bsswords
from mutator.world import SCHED
from workbuf.boot import BootPort
from workbuf.local import WORK
from workbuf.machine import Pause


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.compare.setup import Setup
    from collector.designs.design import Design
    from collector.gc import CycleStats
    from mutator.programs.program import Program
    from workbuf.machine import Port

STEPS = 1 << 26
"""After which a run is said to have no end."""
WARM, REST = 3000, 500
"""Steps an M before the first cycle, while programs build what they work on, and between cycles."""
LIMITED = 100
"""Steps of an M's own after which a sleep with a limit is over."""
ARENA = 1 << 20
"""Bytes for what programs allocate, and for spans that are not full."""
AN_M = 1 << 18
"""Of that for each mutator."""
PAGE = 1024
"""Bytes: small, so that caches are refilled often, which is when a mutator assists."""


class SteppedM(AuditedM):
    """The M that collects."""

    def collect(self, cycles: int, ended: list[CycleStats]) -> None:
        """Concurrent cycles, then one with the world stopped."""
        port, helpers = self.port, self.world.ncpu - 1
        self.rest(WARM)
        for force in (*[0] * cycles, 1):
            while port.hint(self.sched + SCHED.nmidle) < helpers:
                port.pause(Pause.OSYIELD, 1)
            port.store(self.working, 1)  # as gogc does: mutators assist
            self.gcwork(force)
            port.store(self.working, 0)
            self.bgsweep()
            ended.append(self.cycle)
            self.rest(REST)
        port.store(self.stopping, 1)
        self.dismissidle()

    def rest(self, steps: int) -> None:
        """Let every M take so many steps."""
        port = self.port
        until = port.now() + steps * port.words[self.sched + SCHED.gomaxprocs]
        while port.now() < until:
            port.pause(Pause.OSYIELD, 1)


def unwaiting(port: Port, a: int) -> None:
    """Let `port` wait by taking steps: reading cell `a` in a pause, looking at the note for a while in a sleep with a limit.

    The machine's own pause waits until another thread has changed something, and its limit is over when nobody else can go:
    the right thing where schedules are searched, and no measure of time.
    """
    hint, sleep = port.hint, port.sleep

    def pause(_kind: Pause, _n: int) -> None:
        hint(a)

    def limited(note: int, ns: int = -1) -> bool:
        if ns < 0:
            return sleep(note)
        return any(hint(note) for _ in range(LIMITED))

    port.pause, port.sleep = pause, limited  # type: ignore[method-assign]


def run(design: Design, setup: Setup, ticked: Callable[[], object] = lambda: None) -> Figures:
    """The figures of one run.  Raises Failed if it breaks an invariant or does not end, and what `ticked` raises."""
    machine = SteppedMachine(Greenlets, steps=STEPS)
    greyed: dict[int, int] = {}
    delays: list[int] = []
    ms: list[Timing] = []
    ended: list[CycleStats] = []
    m = counting(design.applied(SteppedM), Timing)
    config = Config(
        mutators=setup.mutators,
        helpers=setup.helpers,
        wbufsize=setup.size(design),
        arena=ARENA + AN_M * setup.mutators + 3 * sum(setup.graph.size),
        page_size=PAGE,
        bss=bsswords(setup.lives),
        persistentchunk=4 * setup.size(design),
        heapminimum=1 << 30,
    )
    with no_collection():
        try:
            machine.begin()
            model = Model(machine, sized(config, setup.graph), m)
            load(model, m(BootPort(machine), model.world, model.gcm), setup.graph)
            programs = assign(model.world, setup.lives)

            def spawn(record: int, life: Callable[[SteppedM], object], name: str) -> None:
                def body(port: Port) -> None:
                    unwaiting(port, model.world.gcphase)
                    me = m(port, model.world, record)
                    timing = cast("Timing", me)
                    timing.greyed, timing.delays = greyed, delays
                    ms.append(timing)
                    life(me)

                machine.spawn(body, name)

            def runs(program: Program) -> Callable[[SteppedM], object]:
                return lambda me: me.mstart(program.run)

            spawn(model.gcm, lambda me: me.mstart(lambda me: me.collect(setup.cycles, ended)), "gc")
            for i, (record, program) in enumerate(zip(model.mutators, programs, strict=True)):
                spawn(record, runs(program), f"{program.name}{i}")
            for i, record in enumerate(model.helpers):
                spawn(record, lambda me: me.idlem(), f"helper{i}")
            pick, draw = RandomWalk(Options(setup.seed)).begin(machine)

            def picked(i: int) -> int:
                ticked()
                return pick(i)

            fault = machine.run(picked, draw)
            if fault or len(ended) != setup.cycles + 1:
                raise Failed(str(fault or "no end"))
            buffers = machine.peek(model.world.work + WORK.nbuffers)
            return Figures.of(ms, ended, buffers, len(machine.trail))
        finally:
            machine.close()
