"""Scenario: the parallel for, whose turns are claimed by increment and stolen by swap.  (S26.)

The owner of a range claims the next turn by an atomic increment of the range's word; a thief takes the upper half by a
compare-and-swap of the same word, and never the last turn.  If the owner claims by a load and a store, a thief comes in
between, and turns are run twice or not at all.  A thief that waits for the others counts as idle, and must count itself
out BEFORE its swap: otherwise all seem idle while it holds what it has just stolen.

Modelled.  Two threads; a whole parfordo, and the moment at which an idle thief steals from an owner that runs out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.faults.parfor import ClaimByStore, LateDone
from collector.parfor import LOW32, PARFOR, THR, Parfor, parforalloc, thr
from collector.scenarios.scenario import Scenario, Variant
from mutator.world import MRECORD
from workbuf.boot import BootPort
from workbuf.local import Globals


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port

THREADS = 2


def claiming(m: type[Parfor], n: int = 3, *, wait: bool = False) -> Program:
    """Two threads run a loop of `n` turns, of which some may be stolen while their owner claims them."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        world = Globals.allocate(machine)
        desc = parforalloc(machine, m.nthrmax)
        records = [MRECORD.allocate(machine, f"m{i}") for i in range(THREADS)]
        runs = machine.alloc(n, "runs")
        m(BootPort(machine), world, records[0]).parforsetup(desc, THREADS, n, wait=wait, body=print)

        for record in records:
            machine.spawn(lambda port, m0=record: m(port, world, m0).parfordo(desc, lambda i: port.xadd(runs + i, 1)))  # type: ignore[misc]

        def check() -> None:
            found = [machine.peek(runs + i) for i in range(n)]
            assert found == [1] * n, f"the turns of a loop were run {found} times"

        return check

    return program


def idle(m: type[Parfor]) -> Program:
    """Of two threads one counts as idle and steals once more; the other runs out, and may leave when both are idle."""
    n = 4

    def program(machine: SteppedMachine) -> None:
        world = Globals.allocate(machine)
        desc = parforalloc(machine, m.nthrmax)
        records = [MRECORD.allocate(machine, f"m{i}") for i in range(THREADS)]
        m(BootPort(machine), world, records[0]).parforsetup(desc, THREADS, n, wait=True, body=print)
        owner, done = thr(desc, 0) + THR.pos, desc + PARFOR.done
        machine.poke(owner, n << 32)
        machine.poke(done, 1)
        executed = machine.word(0, "executed")

        def own(port: Port) -> None:
            while (pos := port.xadd(owner, 1)) & LOW32 <= pos >> 32:
                port.xadd(executed, 1)
            if port.xadd(done, 1) == THREADS:
                assert port.load(executed) == n, "a thread has left before all was executed"

        def steal(port: Port) -> None:
            stolen, still = m(port, world, records[1]).stealfrom(owner, done, idle=True)
            if stolen:
                assert not still, "a thread that has work counts as idle"
                port.xadd(executed, stolen[1] - stolen[0])
                port.xadd(done, 1)

        machine.spawn(own, "owner")
        machine.spawn(steal, "thief")

    return program


SCENARIO = Scenario(
    name="parfor",
    title="A parallel for whose turns are claimed in two steps runs some of them twice",
    bugs=("S26",),
    variants={
        "failing": Variant(claiming(ClaimByStore), fails="the turns of a loop were run", races=False),
        "failing-idle": Variant(idle(LateDone), fails="left before all was executed"),
        "fixed": Variant(claiming(Parfor), exhaustible=False),
        "fixed-wait": Variant(claiming(Parfor, wait=True), exhaustible=False),
        "fixed-idle": Variant(idle(Parfor)),
    },
)
