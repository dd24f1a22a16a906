"""The gctrace line of a cycle in the format of today's Go.  (Go: gcMarkTermination, mgc.go.)

    gc 4 @2.104s 31%: 0.66+441+21 ms clock, 1.9+13/430/0+64 ms cpu, 14->15->9 MB, 16 MB goal, 0 MB stacks, 0 MB globals, 3 P

number of the cycle; when it began, since the run did; share of the processors' time that went to collecting so far; by
the clock: stopped before the mark + concurrent + stopped for mark termination; by the processors: the same three, the
middle one as assists / background / idle; heap when it began -> when the mark ended -> marked; the goal it had; the size
of stacks and of global data; processors; `(forced)` for a cycle that stops the world from beginning to end.

Cycles here are those of 2015, so the figures mean this:

* the second stop, to install the write barrier, is in the first figure with sweep termination: Go has had one stop for
  both since 1.5; scanning the roots between the two, and marking after them, is the second;
* mark termination ends with the mark (t4): the audits that follow in the stopped world are ours and not Go's;
* processor time is what Go takes for it: the stopped clock times the processors, the background marker's clock (there is
  one), and the assists' own from begin to end, by their events, so an assist that fell out of its ring is missing;
* idle is 0: nobody marks for want of other work;
* stacks are what is reserved for them, data and bss the globals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from mutator.world import SCHED, G
from workbuf.events import Event
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.audit.traverse import Reach
    from collector.gc import CycleStats
    from mutator.world import World
    from workbuf.recorder import Record

MS = 1_000_000
MB = 20


class Clock(NamedTuple):
    """The parts of a cycle by the clock, in ns."""

    sweepterm: int
    """Stopped, before the mark."""
    mark: int
    """Concurrent."""
    markterm: int
    """Stopped."""

    @classmethod
    def of(cls, stamps: dict[str, int], *, concurrent: bool) -> Self:
        """The parts between a cycle's stamps."""
        t = stamps
        if not concurrent:
            return cls(t["markterm"] - t["sweepterm"], 0, t["t4"] - t["markterm"])
        return cls(
            t["scan"] - t["sweepterm"] + t["mark"] - t["installmarkwb"],
            t["installmarkwb"] - t["scan"] + t["markterm"] - t["mark"],
            t["t4"] - t["markterm"],
        )


@dataclass
class Sizes:
    """What a line says of the world, in bytes and processors."""

    stacks: int
    globals: int
    procs: int
    stwprocs: int
    """Processors that a stopped world idles: no more than the machine has."""

    @classmethod
    def of(cls, world: World, goroutines: int) -> Self:
        """Those of a world with that many goroutines."""
        peek = world.machine.peek
        gs = world.records(world.allgs, goroutines)
        stacks = sum(peek(g + G.stackend) - peek(g + G.stackbase) for g in gs)
        procs = peek(world.sched + SCHED.gomaxprocs)
        return cls(stacks * WORD, (world.data.n + world.bss.n) * WORD, procs, min(procs, world.ncpu))


@dataclass
class GctraceToday:
    """Makes the lines of one run, cycle by cycle: the third field is about all of them."""

    spent: int = 0
    """Processor time of all cycles so far, ns."""

    def line(self, stats: CycleStats, reach: Reach, assists: int, sizes: Sizes) -> str:
        """The line for the next cycle, without its newline.  `assists` is the time that assists took, in ns."""
        clock = Clock.of(stats.stamps, concurrent=stats.concurrent)
        sweepterm, markterm = clock.sweepterm * sizes.stwprocs, clock.markterm * sizes.stwprocs
        self.spent += sweepterm + assists + clock.mark + markterm
        percent = 100 * self.spent // (stats.stamps["t4"] * sizes.procs)
        return (
            f"gc {stats.number} @{stats.stamps['sweepterm'] / 1e9:.3f}s {percent}%:"
            f" {'+'.join(map(ms, clock))} ms clock,"
            f" {ms(sweepterm)}+{ms(assists)}/{ms(clock.mark)}/0+{ms(markterm)} ms cpu,"
            f" {stats.heapstart >> MB}->{stats.heap1 >> MB}->{reach.live >> MB} MB, {stats.goal >> MB} MB goal,"
            f" {sizes.stacks >> MB} MB stacks, {sizes.globals >> MB} MB globals, {sizes.procs} P"
            f"{'' if stats.concurrent else ' (forced)'}"
        )


def ms(ns: int) -> str:
    """`ns` in ms as Go writes it: whole ones from 10 up, two digits that matter below, at most three decimals."""
    if ns >= 10 * MS:
        return str(ns // MS)
    us = ns // 1000
    if us >= 1000:
        return f"{us // 100 / 10:.1f}"
    if us >= 100:
        return f"{us // 10 / 100:.2f}"
    return f"{us / 1000:.3f}" if us else "0"


def assisttime(records: Iterable[Record]) -> int:
    """How long the assists among these events took together, in ns; they are in the order of time."""
    began: dict[int, int] = {}
    total = 0
    for record in records:
        if record.kind == Event.ASSIST:
            began[record.thread] = record.time
        elif record.kind == Event.ASSIST_END and record.thread in began:
            total += record.time - began.pop(record.thread)
    return total
