"""Scenario: a goroutine begins to run while its stack is being scanned, and counts as scanned afterwards.  (K-15; S20.)

`gcscanvalid` says that a goroutine has not run since its stack was scanned.  Whoever makes it run clears the flag, after
the change of status and not before: a scan that begins and ends between the two sets it again, mark termination skips
the stack, and what the goroutine has put there since is lost.  Go's fix before the seed (27aed3ce68) exchanged the two.

The assertion of the seed's castogscanstatus reads the flag without owning it, between a change to running and the
clearing that follows, and throws in a correct run.  Go took it out (cfa3eda587).

Modelled.  One goroutine, the thread that makes it run, the thread that scans it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.rooting import ValidClearedEarly
from collector.scenarios.scenario import Scenario, Variant
from mutator.goroutine import Goroutines
from mutator.world import GRUNNABLE, GRUNNING, GSCAN, G
from workbuf.local import MLOCAL, Globals
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Asserting(Goroutines):
    """castogscanstatus with the seed's assertion."""

    def castogscanstatus(self, gp: int, old: int, new: int) -> bool:
        """Throw at a running goroutine that counts as scanned."""
        if old == GRUNNING and self.readgstatus(gp) == old and self.port.hint(gp + G.gcscanvalid):
            raise Throw("castogscanstatus")
        return super().castogscanstatus(gp, old, new)


def starting(m: type[Goroutines]) -> Program:
    """A goroutine begins to run while another M scans its stack: it must not count as scanned afterwards."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine)
        gp = G.allocate(machine, "g1")
        machine.poke(gp + G.status, GRUNNABLE)
        machine.poke(gp + G.gcscanvalid, 1)
        records = [MLOCAL.allocate(machine, f"m{i}") for i in range(2)]

        def scan(port: Port) -> None:
            me = m(port, world, records[1])
            status = me.readgstatus(gp)
            if me.castogscanstatus(gp, status, status | GSCAN):
                if status == GRUNNABLE:
                    port.post(gp + G.gcscanvalid, 1)
                me.casfrom_Gscanstatus(gp, status | GSCAN, status)

        machine.spawn(lambda port: m(port, world, records[0]).casgstatus(gp, GRUNNABLE, GRUNNING), "m0")
        machine.spawn(scan, "m1")

        def check() -> None:
            assert not machine.peek(gp + G.gcscanvalid), "the goroutine runs and counts as scanned"

        return check

    return program


SCENARIO = Scenario(
    name="scanvalid",
    title="A goroutine that runs counts as scanned",
    bugs=("S20", "K-15"),
    variants={
        "failing": Variant(starting(ValidClearedEarly), fails="runs and counts as scanned"),
        "failing-assertion": Variant(starting(Asserting), fails="castogscanstatus"),
        "fixed": Variant(starting(Goroutines)),
    },
)
