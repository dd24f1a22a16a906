"""One run on real threads: a stress run of the design, which audits every mark."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from collector.audit.violation import Violation
from collector.compare.counting import Counting, counting
from collector.compare.figures import Figures
from collector.compare.setup import Failed
from collector.runtime import Config
from collector.stress.run import Plan, Stress, StressM
from workbuf.local import WORK
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.compare.setup import Setup
    from collector.designs.design import Design

PERIOD = 0.05
"""Seconds between cycles."""


def run(design: Design, setup: Setup, ticked: Callable[[], object] = lambda: None) -> Figures:
    """The figures of one run.  Raises Failed if it breaks an invariant or hangs, and what `ticked` raises."""
    config = Config(mutators=setup.mutators, helpers=setup.helpers, wbufsize=setup.size(design))
    plan = Plan(config, setup.lives, cycles=setup.cycles + 1, period=PERIOD, seed=setup.seed)
    stress = Stress(plan, setup.graph, counting(design.applied(StressM)))
    began = perf_counter_ns()
    try:
        stress.run(ticked=ticked)
    except (Throw, Violation) as error:
        raise Failed(f"{type(error).__name__}: {error}") from error
    ms = [m for m in stress.ms if isinstance(m, Counting)]
    cycles = [report.stats for report in stress.reports]
    buffers = stress.machine.peek(stress.world.work + WORK.nbuffers)
    return Figures.of(ms, cycles, buffers, perf_counter_ns() - began)
