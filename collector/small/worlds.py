"""Complete worlds small enough to explore: a heap of a few pages, a handful of objects, a few Ms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.audit.traverse import Traversal
from collector.runtime import CollectorM, Config, Model
from mutator.world import GRUNNING, MRECORD, PGCSTOP, SCHED, G, P
from workbuf.boot import BootPort, BootWords


if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbuf.machine import Machine

CONFIG = Config(
    mutators=1,
    helpers=0,
    wbufsize=112,
    arena=2048,
    page_size=128,
    data=2,
    bss=4,
    stackwords=32,
    persistentchunk=1024,
)
WORD = 8


class Small:
    """A small world under construction.  `boot` is an M to build with; `pointers` words an object."""

    def __init__(self, machine: Machine, config: Config = CONFIG, m: type[CollectorM] = CollectorM) -> None:
        self.machine = machine
        self.model = Model(machine, config, m)
        self.world = self.model.world
        self.boot = m(BootPort(machine), self.world, self.model.gcm)

    def objects(self, edges: Sequence[Sequence[int]]) -> list[int]:
        """One object for each entry, pointing to the objects whose numbers it lists; returns their addresses."""
        made = [self.boot.mallocgc(max(len(to), 1) * WORD, (1 << len(to)) - 1) for to in edges]
        for obj, to in zip(made, edges, strict=True):
            for i, child in enumerate(to):
                self.machine.poke(obj // WORD + i, made[child])
        return made

    def global_(self, i: int, value: int) -> None:
        """Let word `i` of the data segment point to `value`."""
        self.machine.poke(self.world.data.base + i, value)

    def stopped(self) -> None:
        """The world as stoptheworld leaves it: the collector's goroutine runs, every P is stopped, nothing unswept."""
        machine = self.machine
        for p in self.world.records(self.world.allp, machine.peek(self.world.sched + SCHED.gomaxprocs)):
            machine.poke(p + P.status, PGCSTOP)
        machine.poke(self.world.sched + SCHED.gcwaiting, 1)
        machine.poke(machine.peek(self.model.gcm + MRECORD.curg) + G.status, GRUNNING)
        self.boot.flushallmcaches()

    def lost(self) -> list[tuple[int, int]]:
        """Objects that are reachable and not marked, with where the pointer was found."""
        traversal = Traversal(self.world, BootWords(self.machine))
        traversal.run()
        return traversal.lost
