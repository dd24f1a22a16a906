"""Scenario: a request to scan itself outlives its phase.  (O-12, K-15.)

A goroutine blocks after the request, the collector scans it and leaves the request standing.  At some later poll the
goroutine scans itself, in whatever phase it is.  If that is the next scan phase it runs again as one that counts as
scanned, for a moment, and the seed's castogscanstatus, which reads that flag without owning it, throws in a correct
run.  Go cancels the request (3c60e6e8cf), which makes this rarer: `failing-cancelled`, where the collector's own request
leads to the same throw.  What ends it is that the assertion is gone (cfa3eda587).

Modelled.  A goroutine with the old request comes by one poll while the collector scans its stack for the next phase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld
from collector.runtime import CollectorM
from collector.scenarios.scanvalid import Asserting
from collector.scenarios.scenario import Scenario, Variant
from mutator.phase import GCscan
from mutator.world import GDEAD, GRUNNING, MRECORD, STACK_PREEMPT, G


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Seed(Asserting, CollectorM):
    """With the assertion."""


def requested(m: type[CollectorM], *, stale: bool) -> Program:
    """The goroutine polls once and ends; it has a request from before if `stale`."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model = small.world, small.model
        mutator = model.mutators[0]
        gp = machine.peek(mutator + MRECORD.curg)
        machine.poke(world.gcphase, GCscan)
        if stale:
            machine.poke(gp + G.preemptscan, 1)
            machine.poke(gp + G.stackguard, STACK_PREEMPT)
        small.running(model.gcm, mutator)
        show(machine, world)

        def polls(port: Port) -> None:
            me = m(port, world, mutator)
            me.poll()
            me.casgstatus(gp, GRUNNING, GDEAD)

        machine.spawn(lambda port: m(port, world, model.gcm).scangoroutine(gp), "gc")
        machine.spawn(polls, "mutator")

    return program


SCENARIO = Scenario(
    name="stalerequest",
    title="A goroutine that still has last phase's request to scan itself makes a correct run throw",
    bugs=("S20", "O-12", "K-15"),
    variants={
        "failing": Variant(requested(Seed, stale=True), fails="castogscanstatus"),
        "failing-cancelled": Variant(requested(Seed, stale=False), fails="castogscanstatus"),
        "fixed": Variant(requested(CollectorM, stale=True), exhaustible=False),
    },
)
