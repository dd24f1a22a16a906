"""Measures the overhead of the flight recorder: the time of a mark with it over the time without.

    python scripts/bench_recorder.py [--objects 50000] [--pairs 15] [--workbuf 256]

A run is one stopped mark of a synthetic heap, t0 to t4 of its gctrace line.  Each pair is one run with the recorder and
one without, in alternating order, so that what else the machine does hits both alike; the helper comes to each, or the
run fails, and `helped` is the share of the objects that it scanned, in percent.  Printed are the median of the
pairs' ratios and the quartiles around it, by the clock and by the processors' time, which on a busy machine says more; the
events that a mark sends, what one of them costs by itself, and the ratio that this would make of it.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from statistics import median, quantiles
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from collector import heaps
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM, gil
from workbuf.events import Event, null
from workbuf.hardware.machine import HardwareMachine
from workbuf.recorder import Recorder


if TYPE_CHECKING:
    from collector.gc import CycleStats
    from collector.heaps.graph import Graph
    from workbuf.machine import Listener

TURNS = 300_000
SWITCH_INTERVAL = 1e-4
"""As stress has it."""


class Timed(StressM):
    """Times its marks by the processors, up to where t4 is taken."""

    began = 0
    used: ClassVar[list[int]] = []
    """Of all marks, ns."""

    def gc(self, *, eager: bool = False) -> None:
        """Begin to count."""
        self.began = time.process_time_ns()
        super().gc(eager=eager)

    def afterm(self, stats: CycleStats) -> None:
        """Stop counting: what follows are the audits."""
        super().afterm(stats)
        self.used.append(time.process_time_ns() - self.began)


class Cost(NamedTuple):
    """Of one mark: ns by the clock and by the processors, events sent, and the objects that each marker scanned."""

    clock: int
    processors: int
    sent: int
    scanned: list[int]


def mark(graph: Graph, helpers: int, workbuf: int, *, listening: bool) -> Cost:
    """One mark, and what it cost."""
    config = Config(mutators=0, helpers=helpers, wbufsize=workbuf)
    plan = Plan(config=config, programs=(), cycles=1, concurrent=False, recorder=listening, patience=600.0)
    run = Stress(plan, graph, Timed)
    Timed.used.clear()
    run.run()
    stats = run.reports[0].stats
    stamps = stats.stamps
    sent = sum(sum(ring.counts) for ring in run.recorder.rings.values()) // len(run.reports)
    gc.collect()  # the run's own garbage, so that it is no pause of a later run
    return Cost(stamps["t4"] - stamps["t0"], Timed.used[0], sent, stats.scanned)


def single(listener: Listener, buffer: int) -> float:
    """What one event costs its sender, ns: a put, which the recorder looks at twice."""
    kind = int(Event.PUT)
    began = time.perf_counter_ns()
    for _ in range(TURNS):
        listener(kind, buffer, 358, 3)
    return (time.perf_counter_ns() - began) / TURNS


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--objects", type=int, default=50_000)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--workbuf", type=int, default=256)
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL)
    # Only the memory: these sends are no thread's.
    port, buffer = HardwareMachine(words=1 << 12).boot(), 64
    unheard, heard = single(null, buffer), single(Recorder().listen(port), buffer)
    graph = heaps.read(f"synthetic:random,n={args.objects},m={3 * args.objects},seed=1")
    print(
        f"Python {sys.version.split()[0]}, GIL {'on' if gil() else 'off'}; {args.objects} objects, {args.pairs} pairs"
    )
    print(
        "markers  helped  timed by      off ms    on ms  events  on / off: median  quartiles       by its events alone"
    )
    for helpers in (0, 1):
        off: list[Cost] = []
        on: list[Cost] = []
        for i in range(args.pairs + 1):
            pair = {}
            for listening in (i % 2 == 0, i % 2 == 1):
                pair[listening] = mark(graph, helpers, args.workbuf, listening=listening)
            if i:  # the first pair warms up
                off.append(pair[False])
                on.append(pair[True])
        sent = on[-1].sent
        helped = sum(sum(cost.scanned[1:]) for cost in off + on) / sum(sum(cost.scanned) for cost in off + on)
        for by in ("clock", "processors"):
            a, b = ([getattr(cost, by) / 1e6 for cost in some] for some in (off, on))
            low, middle, high = quantiles([y / x for x, y in zip(a, b, strict=True)], n=4)
            alone = 1 + sent * (heard - unheard) / 1e6 / median(a)
            print(
                f"{len(on[-1].scanned):7} {helped:7.0%}  {by:10} {median(a):9.1f} {median(b):8.1f} {sent:7} {middle:17.3f}"
                f"  {low:.3f} .. {high:.3f}  {alone:.3f}"
            )
    print(f"one event: {unheard:.0f} ns with nobody listening, {heard:.0f} ns with the recorder")


if __name__ == "__main__":
    main()
