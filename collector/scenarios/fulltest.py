"""Scenario: getpartialorempty's test for a full buffer is always true.  (O-3.)

It asks `nobj <= len(obj)` where `<` was meant, so a full cached buffer comes back full, and the branch that gives it to
full is dead.  It is right because greyobject looks again before it appends, and gives the full one away then; until then
its objects stay hidden from others.  `failing` is a greyobject that relies on the room it was promised.

Modelled.  A full cached buffer, and one barrier; one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld, Unswept
from collector.scenarios.scenario import SOUND, Scenario, Variant
from mutator.heap import MARKED
from mutator.phase import GCmark
from workbuf.buffer import NOBJ, OBJ, capacity
from workbuf.machine import WORD


if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.explore import SteppedMachine
    from collector.explore.program import Program


class Trusting(Unswept):
    """Appends without looking."""

    def greyobject(self, obj: int, base: int, off: int, hbits: int, bits: int, wbuf: int) -> int:
        del base, off, bits
        words = self.port.words
        self.port.or8(hbits, MARKED)
        words[wbuf + NOBJ] += 1
        assert words[wbuf + NOBJ] <= self.len_obj, "an entry behind the end of its buffer"
        words[wbuf + OBJ + words[wbuf + NOBJ] - 1] = obj
        return wbuf


class AsMeant(Trusting):
    """With the test that was meant: a full buffer goes to full."""

    def getpartialorempty(self, entry: int) -> int:
        b = self.takecached()
        if b and self.port.words[b + NOBJ] < self.len_obj:
            return b
        if b:
            self.putfull(b, entry)
        return self.getempty(entry)


def shaded(m: type[Unswept]) -> Program:
    """The M's cache holds as many objects as a buffer can, and one more is shaded."""

    def program(machine: SteppedMachine) -> Callable[[], object]:
        small = SmallWorld(machine, m=m)
        world, model, boot = small.world, small.model, small.boot
        mutator, n = model.mutators[0], capacity(CONFIG.wbufsize)
        objects = [boot.mallocgc(WORD, 1) for _ in range(n + 1)]
        boot.setphase(GCmark)
        setup = Unswept(boot.port, world, mutator)
        for obj in objects[:n]:
            setup.shade(obj)
        show(machine, world)
        machine.spawn(lambda port: m(port, world, mutator).shade(objects[n]), "mutator")

        def check() -> None:
            full = machine.peek(boot.work_full)
            assert full, "the full buffer was not given to others"

        return check

    return program


SCENARIO = Scenario(
    name="fulltest",
    title="A full cached buffer comes back full, because greyobject looks again",
    bugs=("O-3",),
    variants={
        "failing": Variant(shaded(Trusting), fails="behind the end of its buffer"),
        "fixed": Variant(shaded(Unswept)),
        "fixed-as-meant": Variant(shaded(AsMeant)),
    },
    kind=SOUND,
)
