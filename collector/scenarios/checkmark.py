"""Scenario: what the verifying mark finds of an object that the first mark has missed.  (K-10, K-11; S22.)

The verifying mark marks again, with a bit of its own, and throws at an object that the first one has not marked.  The
seed's has two defects.  Its test is inverted: it returns for an object that is not checkmarked yet, so nothing below
what roots point at is ever looked at (9626561030).  And every goroutine still counts as scanned from the first mark, so
no stack is looked at (6f6403eddf).  The default is the verifying mark as it was meant.

Modelled.  The first mark is right; before the second one the mark of one object is taken away, at the end of a list that
begins in a global or on a stack.  What fails here is a verifying mark that does not throw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import SmallWorld, Timeless
from collector.scenarios.scenario import Scenario, Variant
from mutator.heap import MARKED
from mutator.world import MRECORD, RUNTIME
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collector.explore import SteppedMachine
    from collector.explore.program import Program
    from workbuf.machine import Port


class Missing(Timeless):
    """The verifying mark of the default, after a mark that has missed the object `missed`."""

    missed = 0

    def marked(self) -> None:
        """Take the mark away."""
        if self.missed and not self.checkmarking:
            hbits = self.heapBitsForObject(self.missed)[1]
            words = self.port.words
            words[hbits // WORD] &= ~(MARKED << hbits % WORD * 8)


class Inverted(Missing):
    """Looks at the object, and neither marks nor queues it."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        """In the verifying mark: throw, or return."""
        if not self.checkmarking:
            return super().greyobject(obj, base, off, hbits, bits, wbuf)
        if not bits & MARKED:
            raise Throw("checkmark found unmarked object", *self.foundat(obj, base, off))
        return wbuf


class Stackless(Missing):
    """Leaves the goroutines as scanned."""

    def gccheckmark_m(self, *, eager: bool = False) -> None:
        """Without clearing gcscanvalid."""
        self.port.words[self.runtime + RUNTIME.checkmarkphase] = 1
        self.gc_m(eager=eager)
        self.readcheckmark()


def verify(m: type[Missing], depth: int, *, stack: bool = False) -> Program:
    """A list whose object number `depth` is missed, from 0, in a global or else on a stack."""

    def program(machine: SteppedMachine) -> None:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        objects = small.objects([[1], [2], []])
        if stack:
            gp = machine.peek(model.mutators[0] + MRECORD.curg)
            machine.poke(boot.pushframe(gp, 1, boot.stackmap(1, [0])), objects[0])
        else:
            small.global_(0, objects[0])
        small.stopped()
        show(machine, world)

        def collects(port: Port) -> None:
            me = m(port, world, model.gcm)
            me.checkmark_enabled, me.missed = True, objects[depth]
            me.gc_m()
            try:
                me.gccheckmark_m()
            except Throw as error:
                if error.text != "checkmark found unmarked object":
                    raise
            else:
                raise AssertionError("an object was missed and the verifying mark has passed")

        machine.spawn(collects, "gc")

    return program


SCENARIO = Scenario(
    name="checkmark",
    title="The seed's verifying mark looks at what roots point at, and at no stack",
    bugs=("S22", "K-10", "K-11"),
    variants={
        "failing": Variant(verify(Inverted, 1), fails="the verifying mark has passed"),
        "failing-stacks": Variant(verify(Stackless, 0, stack=True), fails="the verifying mark has passed"),
        "fixed": Variant(verify(Missing, 2)),
        "fixed-stacks": Variant(verify(Missing, 2, stack=True)),
        "fixed-root": Variant(verify(Inverted, 0)),
    },
)
