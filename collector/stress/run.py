"""Runs the collector and mutator programs on real threads over a real heap, for several collections, each audited.

Theory of operation.  One M runs the background collector, `mutators` Ms run programs, `helpers` Ms lie idle until mark
termination wakes them.  The collector's M counts cycles or looks at the clock, and in the end asks the programs to stop,
makes one last stopped collection and sends the idle Ms home.  The main thread passes on what the collector reports; the
watchdog, a thread of its own, calls the run hung when neither cycles nor marking advance.

Guards.  Nothing arranges the outcome: no lock around a step, no sleep but the protocol's own and the programs' system calls.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from time import monotonic, thread_time
from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from collector.fusedmark import FusedMark
from collector.newborn import Newborn
from collector.runtime import AuditedM, Config, Model
from collector.stress.addressspace import reserved
from collector.stress.markers import missing
from collector.stress.placement import load, sized
from collector.stress.stores import Store, Storing, storing
from collector.stress.watchdog import Watchdog
from mutator.heap import MSTATS
from mutator.programs.registry import assign, bsswords
from mutator.world import MRECORD, SCHED
from workbuf.events import PHASE_NAMES
from workbuf.hardware.machine import HardwareMachine
from workbuf.hardware.selftest import AUTO
from workbuf.machine import WORD, Pause
from workbuf.recorder import Recorder, Tally


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.audit.traverse import Reach
    from collector.gc import CycleStats
    from collector.heaps.graph import Graph
    from collector.heaps.stream import Progress
    from mutator.world import World
    from workbuf.machine import Port
    from workbuf.recorder import Record


SECONDS_AN_OBJECT = 1e-4
"""By which a run over a large heap is given more patience: an audit's traversal and a sweep move no counter."""


@dataclass(frozen=True)
class Plan:
    """What a stress run is to do."""

    config: Config = field(default_factory=Config)
    programs: tuple[str, ...] = ("rewire", "pushpop", "hider", "finalizers")
    """One name a mutator."""
    cycles: int = 0
    """How many there are, the forced one at the end among them; 0: by the clock."""
    concurrent: bool = True
    """Concurrent cycles, or ones that stop the world from beginning to end."""
    seconds: float = 9.0
    """By the clock: for all cycles, at least one and the forced one; none begins that would not fit in."""
    period: float = 0.1
    """Seconds after which a cycle starts by itself when the heap does not ask for one."""
    seed: int = 1
    binding: str = AUTO
    jitter: float = 0.0
    """Share of its atomics that every thread delays."""
    dawdle: float = 0.0
    """The same for two threads of three, if it is more."""
    newborn: bool = False
    """Let the collector's M allocate an object in every mark termination, which floats until the mark is over."""
    patience: float = 60.0
    """Seconds without progress after which the run is called hung."""
    ring: int = 1 << 14
    """Events that each thread keeps."""
    recorder: bool = True
    """Let the flight recorder listen; without it nothing is counted.  For measuring what it costs."""
    stores: bool = True
    """Let each M remember its last pointer stores, without which a lost object's report says less; as above."""
    events: bool = False
    """Hand every cycle's events on with its report."""


@dataclass(frozen=True)
class CycleReport:
    """One finished cycle, as the collector's M saw it in the stopped world."""

    stats: CycleStats
    reach: Reach
    buffers: int
    seconds: float
    events: list[Record]
    tally: Tally = field(default_factory=Tally)
    """All Ms' together, as they stood in the stopped world."""


class StressM(Newborn, FusedMark, AuditedM):
    """The M that runs the background collector for the length of a run."""

    markers = 1
    """How many are to mark together when every helper lies idle."""
    awaited = False
    """Did all of them lie idle when this cycle began?"""

    def collect(self, plan: Plan, report: Callable[[CycleReport], object], recorder: Recorder) -> None:
        """Collect until the plan is fulfilled, then once more with the world stopped."""
        self.report = report
        self.events = recorder.drain if plan.events else list
        self.newborn = plan.newborn
        began = now = monotonic()
        longest = last = 0.0  # seconds: the longest cycle so far, and what the forced one should take at most
        self.awaithelpers()
        while self.numgc < plan.cycles - 1 if plan.cycles else now - began + longest + last <= plan.seconds:
            busy = thread_time()
            if plan.concurrent:
                self.background(int(plan.period * 1e9))
            else:
                self.awaithelpers()
                self.gcwork(1)
                self.bgsweep()
            before, now = now, monotonic()
            longest = max(longest, now - before)
            # With the world stopped no mutator takes turns with this thread: it needs little more than its own time.
            last = max(last, thread_time() - busy) if plan.concurrent else longest
        self.port.store(self.stopping, 1)
        self.awaithelpers()
        self.gcwork(1)
        self.bgsweep()
        self.dismissidle()

    def awaithelpers(self) -> None:
        """Wait until the helpers lie idle: a thread takes a while to begin, and one that has just helped to lie down."""
        while self.idlems() < self.markers - 1:
            self.port.pause(Pause.OSYIELD, 1)
        self.awaited = True

    def idlems(self) -> int:
        """How many Ms lie idle."""
        port, sched = self.port, self.sched
        port.lock(sched + SCHED.lock)
        n = port.words[sched + SCHED.nmidle]
        port.unlock(sched + SCHED.lock)
        return n

    def collected(self) -> None:
        """Report the cycle; raises a Violation if helpers that lay idle for it did not mark."""
        super().collected()
        assert self.reach is not None
        assert self.places is not None
        stamps = self.cycle.stamps
        seconds = (stamps["sweep"] - stamps["sweepterm"]) / 1e9
        self.report(CycleReport(self.cycle, self.reach, len(self.places.made), seconds, self.events()))
        wrong = missing(self.cycle, self.markers) if self.awaited else ""
        self.awaited = False
        if wrong:
            raise Violation("markers", wrong)


class Stress:
    """One stress run over `graph` (or an empty heap)."""

    def __init__(
        self,
        plan: Plan,
        graph: Graph | None = None,
        m: type[StressM] = StressM,
        progress: Progress | None = None,
    ) -> None:
        m = storing(m) if plan.stores else m
        self.plan = plan
        self.recorder = Recorder(plan.ring)
        self.reports: list[CycleReport] = []
        self.ms: list[StressM] = []
        """Every thread's own M, from when it begins to run."""
        self.queue: SimpleQueue[CycleReport] = SimpleQueue()
        self.beats = 0
        """Turns of the main thread's loop."""
        config = replace(plan.config, bss=bsswords(plan.programs) + 1)
        if graph:
            config = sized(config, graph)
        self.machine, config = reserved(config, graph, self._machine)
        self.model = Model(self.machine, config, m)
        self.world: World = self.model.world
        boot = m(self.machine.boot(), self.world, self.model.gcm)
        self.placed = load(self.model, boot, graph, progress) if graph else None
        next_gc = boot.nextgoal(boot.port.words[self.world.heap.mstats + MSTATS.heap_alloc])
        self.machine.poke(self.world.heap.mstats + MSTATS.next_gc, next_gc)
        self.objects = graph.objects if graph else 0
        self.programs = assign(self.world, plan.programs)
        self._spawn(m)

    def _machine(self, words: int) -> HardwareMachine:
        plan = self.plan
        return HardwareMachine(
            words=words,
            binding=plan.binding,
            seed=plan.seed,
            jitter=(max(plan.jitter, plan.dawdle), max(plan.jitter, plan.dawdle), plan.jitter),
            listener_for=self.recorder.listen if plan.recorder else None,
        )

    def _spawn(self, m: type[StressM]) -> None:
        model, machine = self.model, self.machine

        def body(record: int, life: Callable[[StressM], object]) -> Callable[[Port], object]:
            def thread(port: Port) -> None:
                me = m(port, self.world, record)
                self.equip(me)
                self.ms.append(me)
                life(me)

            return thread

        plan, put = self.plan, self._put
        machine.spawn(body(model.gcm, lambda me: me.mstart(lambda _: me.collect(plan, put, self.recorder))), "gc")
        for i, (record, program) in enumerate(zip(model.mutators, self.programs, strict=True)):
            name = f"{program.name}{i}"
            machine.spawn(body(record, lambda me, program=program: me.mstart(program.run)), name)  # type: ignore[misc]
        for i, record in enumerate(model.helpers):
            machine.spawn(body(record, lambda me: me.idlem()), f"helper{i}")

    def equip(self, me: StressM) -> None:
        """Give a thread's own M what it needs beyond its record; called in that thread."""
        me.checkmark_enabled = self.model.config.checkmark
        me.markers = self.model.config.markers

    def run(
        self, seen: Callable[[CycleReport], object] = lambda _: None, ticked: Callable[[], object] = lambda: None
    ) -> None:
        """Run to the end.  Raises the first failure.

        The main thread hands every cycle's report to `seen`, and calls `ticked` about every 50 ms.
        """

        def tick() -> None:
            self.beats += 1
            self._pass_on(seen)
            ticked()

        try:
            with Watchdog(self, self.patience):
                self.machine.run(tick)
        finally:
            self._pass_on(seen)

    @property
    def patience(self) -> float:
        """Seconds without progress after which the run counts as hung."""
        return self.plan.patience + SECONDS_AN_OBJECT * self.objects

    def _put(self, report: CycleReport) -> None:
        """Called by the collector's M in the stopped world: nobody counts meanwhile."""
        self.queue.put(replace(report, tally=self.tally()))

    def stores(self) -> list[Store]:
        """The last pointer stores of all Ms, by time; all threads have ended."""
        return sorted(
            Store(time, m.port.index, dst // WORD, value, sent)
            for m in self.ms
            if isinstance(m, Storing)
            for time, dst, value, sent in m.stores
        )

    def tally(self) -> Tally:
        """What all Ms have counted so far; exact while the world is stopped and when the run is over."""
        return Tally(
            sum(m.cas_attempts for m in self.ms),
            sum(m.cas_failures for m in self.ms),
            self.recorder.migrations,
        )

    def _pass_on(self, seen: Callable[[CycleReport], object]) -> None:
        # Only those that are there now: cycles may end faster than their events can be written, and the tick must go on.
        for _ in range(self.queue.qsize()):
            report = self.queue.get()
            # Without the events: a long run with a log would keep every one it ever wrote.
            self.reports.append(replace(report, events=[]))
            seen(report)

    @property
    def threads(self) -> list[str]:
        """Names of the threads, by number."""
        names = (f"{program.name}{i}" for i, program in enumerate(self.programs))
        return ["gc", *names, *(f"helper{i}" for i in range(len(self.model.helpers)))]

    @property
    def phase(self) -> str:
        """What the collector is doing."""
        return PHASE_NAMES[self.machine.peek(self.world.gcphase)]

    @property
    def freed(self) -> int:
        """Objects that the sweeper has freed."""
        return self.machine.peek(self.world.heap.mstats + MSTATS.nfree)

    def buffername(self, b: int) -> str:
        """The name of the buffer at cell `b`."""
        return self.machine.names.named(b).noun

    def progress(self) -> int:
        """A number that grows while the collector makes progress: its events and every object scanned."""
        peek = self.machine.peek
        scanned = sum(peek(m + MRECORD.scanned) for m in (self.model.gcm, *self.model.mutators, *self.model.helpers))
        # Not there yet if the collector's thread is slower to begin than the first look.
        ring = self.recorder.rings.get(0)
        return scanned + sum(ring.counts) if ring else scanned


def gil() -> bool:
    """Does this interpreter run with a GIL?"""
    return getattr(sys, "_is_gil_enabled", lambda: True)()
