"""Whole concurrent collections under a program that rewrites the heap, with helpers, schedule after schedule, audited.

Too long to exhaust; sampled by random walk, PCT and POS.  A planted fault says what such samples can find.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from collector.fixtures.show import show
from collector.fixtures.worlds import CONFIG, SmallWorld
from collector.runtime import AuditedM
from mutator.phase import GCmark, GCmarktermination, GCscan
from workbuf.machine import WORD, Pause


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collector.explore import SteppedMachine

    Check = Callable[[], object]
    Program = Callable[[AuditedM, int], None]

SLOTS = 2


def graph(objects: int) -> list[list[int]]:
    """A tree of that many objects with two slots each; the slots left lead anywhere but to the first one's children."""
    random = Random(objects)
    others = [0, *range(3, objects)]
    children = [[child for child in (2 * i + 1, 2 * i + 2) if child < objects] for i in range(objects)]
    return [[*kids, *random.choices(others, k=SLOTS - len(kids))] for kids in children]


def wanders(me: AuditedM, number: int) -> None:
    """Moves a child of the first object from one slot to the other and puts a new object in front of it."""
    words = me.port.words
    frame = me.call(2)
    me.poll()
    root, child = takes(me, frame, number)
    me.poll()
    me.put(words[root], 1 - number, words[child])
    me.poll()
    n = me.new(SLOTS * WORD, 1)
    me.put(n, 0, words[child])
    me.writebarrierptr(me.world.bss.slot(number), n)
    me.poll()
    me.ret()


def moves(me: AuditedM, number: int) -> None:
    """Takes a child off the first object during the scan and gives it back, in another slot, during the mark."""
    words = me.port.words
    frame = me.call(2)
    reaches(me, GCscan)
    root, child = takes(me, frame, number)
    reaches(me, GCmark)
    me.put(words[root], 1 - number, words[child])
    me.ret()


def hides(me: AuditedM, number: int) -> None:
    """Takes a child off the first object during the scan and keeps it on its stack, where nothing shades it."""
    frame = me.call(2)
    reaches(me, GCscan)
    takes(me, frame, number)
    reaches(me, GCmarktermination)
    me.ret()


def takes(me: AuditedM, frame: int, number: int) -> tuple[int, int]:
    """Load the first object and its child `number` onto the stack and delete the child's slot; the two stack slots."""
    words = me.port.words
    words[frame] = me.port.hint(me.world.data.base)
    b, slots = me.pointerslots(words[frame])
    words[frame + 1] = me.get(b, slots[number])
    me.put(words[frame], number, 0)
    return frame, frame + 1


def reaches(me: AuditedM, phase: int) -> None:
    """Comes by safepoints until the collection has got to that phase, or to its end."""
    while me.port.hint(me.gcphase) < phase and not me.stop_requested():
        me.poll()
        me.port.pause(Pause.OSYIELD, 1)


PROGRAMS = {"wander": (wanders, wanders), "move and hide": (moves, hides)}


def cycle(
    machine: SteppedMachine, objects: int, helpers: int, programs: Sequence[Program], m: type[AuditedM] = AuditedM
) -> Check:
    """One collection by an M of its own and helpers, while mutators run their programs."""
    small = SmallWorld(machine, replace(CONFIG, mutators=len(programs), helpers=helpers, arena=4096), m)
    world, model = small.world, small.model
    small.global_(0, small.objects(graph(objects))[0])
    show(machine, world)
    ended: list[int] = []

    def collects(me: AuditedM) -> None:
        me.gcwork(0)
        me.bgsweep()
        me.port.store(me.stopping, 1)
        me.dismissidle()
        ended.append(me.numgc)

    def spawn(record: int, life: Callable[[AuditedM], object], name: str) -> None:
        machine.spawn(lambda port: life(m(port, world, record)), name)

    spawn(model.gcm, lambda me: me.mstart(collects), "gc")
    for i, (record, program) in enumerate(zip(model.mutators, programs, strict=True)):
        spawn(record, lambda me, i=i, program=program: me.mstart(lambda me: program(me, i)), f"mutator{i + 1}")  # type: ignore[misc]
    for i, record in enumerate(model.helpers):
        spawn(record, lambda me: me.idlem(), f"helper{i + 1}")

    def check() -> None:
        assert ended == [1], "the collection did not come to its end"

    return check


@pytest.mark.race(schedules=100_000, seconds=1)
@pytest.mark.parametrize(
    "strategy",
    [pytest.param(name, marks=pytest.mark.race(strategy=name)) for name in ("random", "pct", "pos")],
)
@pytest.mark.parametrize(
    ("objects", "helpers", "programs"),
    [(5, 1, "wander"), (7, 1, "move and hide"), (12, 2, "wander"), (20, 2, "move and hide")],
)
def test_cycle(machine: SteppedMachine, objects: int, helpers: int, programs: str, strategy: str) -> Check:
    """Nothing is lost, no buffer leaks, every audit holds, and every schedule comes to an end."""
    del strategy  # the mark has it
    return cycle(machine, objects, helpers, PROGRAMS[programs])


class NoBarrier(AuditedM):
    """Stores without shading."""

    def gcmarkwb_m(self, ptr: int) -> None:
        """Nothing."""


class NoRescan(AuditedM):
    """A mark termination that leaves the stacks as the concurrent scan has found them."""

    def scanstack(self, gp: int) -> None:
        """In the scan phase only."""
        if self.port.words[self.gcphase] == GCscan:
            super().scanstack(gp)


class NoHarvest(AuditedM):
    """Leaves the buffers in the caches."""

    def harvestwbufs(self) -> int:
        """Nothing."""
        return 0


@pytest.mark.race(schedules=100_000)
@pytest.mark.parametrize(
    "m",
    [
        pytest.param(NoBarrier, marks=pytest.mark.race(fails="reachable objects are not marked"), id="no barrier"),
        pytest.param(NoRescan, marks=pytest.mark.race(fails="reachable objects are not marked"), id="no rescan"),
        pytest.param(NoHarvest, marks=pytest.mark.race(fails="still holds"), id="no harvest"),
    ],
)
def test_faults(machine: SteppedMachine, m: type[AuditedM]) -> Check:
    """What the barrier, the second look at the stacks and the harvest are for is found without them."""
    return cycle(machine, 3, 0, PROGRAMS["move and hide"], m)
