"""Scenario: two markers queue one object.  (O-26.)

Test and set of the mark are two steps, so both may see it clear, and both queue the object: it is scanned twice, which
is harmless.  `failing` counts marked objects as they are queued, and counts one too many; whoever wants an exact count
takes it from the marks, as here, or sets the mark by a swap, and queues only if it was clear (`fixed-swap`).

Modelled.  Two markers that have come upon the same object from two sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.heap import MARKED
from mutator.phase import GCmark
from workbuf.buffer import NOBJ
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Swapping(Unswept):
    """Queues what it has marked itself."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """Set the mark first; without a mark to set there is nothing to do."""
        port, cell, bit = self.port, hbits // WORD, MARKED << hbits % WORD * 8
        while not bits & MARKED:
            old = port.load(cell)
            bits = old >> hbits % WORD * 8
            if not bits & MARKED and port.cas(cell, old, old | bit):
                return super().greyobject(obj, base, off, hbits, bits, wbuf)
            port.check()
        return wbuf


def greyed(m: type[Unswept], *, counting: bool) -> Program:
    """Both grey it and scan what they have queued; the entries queued are taken for a count if `counting`."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, replace(CONFIG, helpers=1), m)
        world, model, boot = small.world, small.model, small.boot
        x = small.objects([[1], []])[0]
        small.global_(0, x)
        boot.setphase(GCmark)
        for b in [boot.getempty(460) for _ in range(2)]:
            boot.putempty(b, 496)
        queued = machine.word(0, "queued")
        show(machine, world)

        def marks(port: Port, record: int) -> None:
            me = m(port, world, record)
            obj, hbits, bits = me.heapBitsForObject(x)
            wbuf = me.greyobject(obj, 0, 0, hbits, bits, me.getempty(460))
            port.xadd(queued, port.words[wbuf + NOBJ])
            while port.words[wbuf + NOBJ]:
                wbuf = me.scanobject(me.popobject(wbuf), wbuf)
            me.putempty(wbuf, 496)

        for i, record in enumerate((model.gcm, *model.helpers)):
            machine.spawn(lambda port, record=record: marks(port, record), f"marker{i}")  # type: ignore[misc]

        def check() -> None:
            small.keepsall()
            assert not counting or machine.peek(queued) == 1, "one object is counted twice"

        return check

    return program


SCENARIO = Scenario(
    name="doublegrey",
    title="Two markers may queue one object, if nobody counts what is queued",
    bugs=("O-26",),
    variants={
        "failing": Variant(greyed(Unswept, counting=True), fails="one object is counted twice"),
        "fixed": Variant(greyed(Unswept, counting=False), exhaustible=False),
        "fixed-swap": Variant(greyed(Swapping, counting=True), exhaustible=False),
    },
    kind=SOUND,
)
