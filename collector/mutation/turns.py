"""What a mutant has to pass on real threads: turns of stress, each of a mix of programs or of one mechanism driven hard."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

from collector import heaps
from collector.audit.violation import Violation
from collector.mutation.kill import STRESS, Kill
from collector.runtime import Config
from collector.stress.mechanisms import MECHANISMS, MINIMUM, SMALL
from collector.stress.mixes import MIXES, mixed
from collector.stress.run import Plan, Stress, StressM
from mutator.heap.audit import audit
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Iterator

SWITCH_INTERVAL = 1e-4
"""Seconds between two switches of threads on a build with a GIL."""
SHORTEST, LONGEST = 0.4, 2.0
"""Seconds of a turn: such that each kind has one, if there is time for that."""
PATIENCE = 5.0
"""Seconds without progress after which a run counts as hung."""
DRIVEN = (
    "handoffs",
    "steals",
    "harvests",
    "channels",
    "syscalls",
    "assists",
    "finalizers",
    "latehelpers",
    "tinybuffers",
    "stops",
)
"""Mechanisms, after the mixes."""
PLAN = Plan(
    config=Config(heapminimum=MINIMUM), period=0.01, dawdle=0.01, newborn=True, patience=PATIENCE
)  # fmt: skip


class Unfused(StressM):
    """Marks with the methods, as the stepped machine does, and not in one loop that has them written out."""

    def drainworkbuf(self, wbuf: int, *, all: bool) -> None:  # noqa: A002  Go calls it drainallwbufs
        """By being another than that of the loop."""
        super().drainworkbuf(wbuf, all=all)


def turns(m: type[StressM], seed: int) -> Iterator[tuple[str, Plan, type[StressM], str]]:
    """Without end: name, plan, the class of the Ms, the heap."""
    for number in count():
        # Every other turn verifies its marks by a second mark right behind the first.
        plan = replace(PLAN, seed=seed + number, config=replace(PLAN.config, checkmark=number % 2 == 1))
        which = number % (len(MIXES) + len(DRIVEN))
        if which < len(MIXES):
            yield MIXES[which], mixed(plan, MIXES[which], number), m, SMALL
        else:
            driven = MECHANISMS[DRIVEN[which - len(MIXES)]]
            yield driven.name, driven.planned(plan), driven.m(m), driven.heap


def stressed(m: type[StressM], seconds: float, seed: int) -> Kill | None:
    """The first violation in turns that take so many `seconds` together, or None."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    turn = min(max(seconds / (len(MIXES) + len(DRIVEN)), SHORTEST), LONGEST)
    begun = monotonic()
    for name, plan, each, heap in turns(m, seed):
        left = seconds - (monotonic() - begun)
        if left <= 0:
            return None
        try:
            run = Stress(replace(plan, seconds=min(turn, left)), heaps.read(heap), each)
            run.run()
            wellkept(run)
        except Exception as error:  # noqa: BLE001  whatever the mutant has raised
            return Kill(STRESS, name, said(error), 0, monotonic() - begun)
        del run
        gc.collect()  # a run is full of cycles, and its memory is counted: without this it is the turns that use it up
    raise AssertionError


def wellkept(run: Stress) -> None:
    """Raise a Violation unless the run that is over has collected by the way, too, and its heap adds up."""
    if len(run.reports) < 2:
        raise Violation("cycles", "there was no cycle but the forced one")
    problems = audit(run.machine, run.world.heap)
    if problems:
        raise Violation("heap", problems[0])


def said(error: Exception) -> str:
    """The check that failed: a violation by its kind, a throw, anything else by its type."""
    if isinstance(error, Violation):
        return f"{error.kind}: {error.text}"
    return f"throw: {error.text}" if isinstance(error, Throw) else f"{type(error).__name__}: {error}"
