"""Stress of the harvest against shading: mutators grey objects through their caches while another M empties these.

Theory of operation.  In a collection the harvest has the world stopped; threads without a P may shade meanwhile all the
same, which is why it exchanges (O-15).  Here all shade, for as long as it harvests, over and over.

Guards.  Every object that was shaded is in some buffer at the end, and every buffer is in one place.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from collector.audit.buffers import places
from collector.audit.violation import Violation
from collector.runtime import CollectorM, Config, Model
from collector.stress.primitives.rounds import Primitive
from mutator.phase import GCmark
from workbuf.buffer import NOBJ, OBJ
from workbuf.hardware.machine import HardwareMachine
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from collector.stress.primitives.rounds import Settings
    from workbuf.machine import Port

MUTATORS = 3
OBJECTS = 3000
CONFIG = Config(
    mutators=MUTATORS,
    helpers=0,
    wbufsize=112,
    arena=1 << 20,
    bss=1,
    stackwords=32,
)


class Harvesting:
    """A round."""

    def __init__(self, settings: Settings, m: type[CollectorM] = CollectorM) -> None:
        machine = self.machine = HardwareMachine(
            words=1 << 20, binding=settings.binding, seed=settings.seed, jitter=settings.jitter
        )
        self.model = Model(machine, CONFIG, m)
        self.world = self.model.world
        boot = m(machine.boot(), self.world, self.model.gcm)
        self.objects = [boot.mallocgc(2 * WORD, 1) for _ in range(OBJECTS)]
        machine.poke(self.world.gcphase, GCmark)
        self.done = machine.word(0, "done")
        self.harvested = 0
        self.harvests = 0

        def shades(port: Port) -> None:
            me = m(port, self.world, self.model.mutators[port.index])
            me.forget_spans()
            mine = self.objects[port.index :: MUTATORS]
            Random(port.seed).shuffle(mine)
            for obj in mine:
                me.shade(obj)
            port.xadd(self.done, 1)

        def harvests(port: Port) -> None:
            me = m(port, self.world, self.model.gcm)
            while port.load(self.done) < MUTATORS:
                self.harvested += me.harvestwbufs()
                self.harvests += 1
                port.pause(Pause.OSYIELD, 1)

        for i in range(MUTATORS):
            machine.spawn(shades, f"m{i}")
        machine.spawn(harvests, "harvester")

    def check(self) -> Counter[str]:
        """Everything grey is somewhere."""
        words = self.machine.boot().words
        where = places(self.world, words, [self.model.gcm, *self.model.mutators])
        found = [*where.empty, *where.partial, *where.full, *where.cached]
        if sorted(found) != sorted(where.made):
            raise Violation(
                "leak", f"{len(where.made)} buffers were made, {len(set(found))} found in {len(found)} places"
            )
        grey = Counter(words[b + OBJ + i] for b in found for i in range(words[b + NOBJ]))
        if grey.keys() != {*self.objects}:
            lost = len({*self.objects} - grey.keys())
            raise Violation("lost", f"{lost} of {OBJECTS} objects that were shaded are in no buffer", count=lost)
        return Counter(shaded=OBJECTS, harvests=self.harvests, harvested=self.harvested)


HARVEST = Primitive(
    "harvest",
    "harvestwbufs against mutators that shade through their caches all the while",
    "buffers with work taken from running Ms, for 1000 objects shaded",
    Harvesting,
    lambda counts: 1000 * counts["harvested"] / max(counts["shaded"], 1),
    0.2,
    ("shaded", "harvests", "harvested"),
)
