"""The programs: their cast, and that each of them sees a heap that is wrong.

Here one thread plays program and collector in turn, so a run is the same every time; with real threads they run in
tests/collector/test_stress.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from collector.runtime import AuditedM
from mutator.heap import SPAN
from mutator.programs.channel import Channel
from mutator.programs.finalizers import NUMBER, OURS, TAG, Finalizers
from mutator.programs.program import Program
from mutator.programs.registry import PROGRAMS, assign, bsswords
from mutator.world import MAX_GCPROC, RUNTIME
from tests.worlds import Bench
from workbuf.machine import WORD
from workbuf.throw import Throw


if TYPE_CHECKING:
    from collections.abc import Callable

ALONE = [name for name in PROGRAMS if name != "rewire"]


class Turns(AuditedM):
    """A mutator that polls a bounded number of times, every `every`-th time with a whole collection."""

    turns = 400
    every = 40
    collect: ClassVar[Callable[[], object]]

    def poll(self) -> None:
        """Let the collector have its turn."""
        super().poll()
        self.turns -= 1
        if self.turns % self.every == 0:
            self.entersyscall()
            type(self).collect()
            self.exitsyscall()

    def stop_requested(self) -> bool:
        """When the turns are used up."""
        return self.turns <= 0


class Forgetful(Turns):
    """A sweeper that ignores the marks of every second object of a span, and so frees what is alive."""

    def sweepbits(self, span: int) -> int:
        """Take away some marks, then sweep."""
        words = self.port.words
        cells = words[span + SPAN.objs] // WORD
        for at in range(-(-words[span + SPAN.nelems] // WORD)):
            words[cells + at] &= ~0x0200020002000200
        return super().sweepbits(span)


class Unaudited(Forgetful):
    """The same with nobody looking but the program."""

    def marked(self) -> None:
        """No audit."""


SMALLER = {"longlist": {"length": 50}, "pushpop": {"longest": 50}, "bintree": {"depth": 4}, "sizes": {"entries": 20}}
"""Attributes of programs, such that they free something in so few turns."""


def play(name: str, cls: type[Turns]) -> Bench:
    """Run the program of that name, alone, to its end."""
    bench = Bench(cls, arena=1 << 22, bss=bsswords([name]), words=1 << 21)
    (program,) = assign(bench.world, [name])
    vars(program).update(SMALLER.get(name, {}))
    gcm = bench.start(bench.gcm)

    def collect() -> None:
        gcm.gcwork(0)
        gcm.bgsweep()

    cls.collect = staticmethod(collect)
    bench.mutators[0].mstart(program.run)
    return bench


@pytest.mark.parametrize("name", ALONE)
def test_every_program_finds_its_heap_in_order(name: str) -> None:
    """Ten collections or more on the way, each with every audit, and objects freed by them."""
    bench = play(name, Turns)

    assert bench.gcm.numgc >= 10
    assert bench.gcm.reach is not None
    assert bench.gcm.cycle.nfree > 0


@pytest.mark.parametrize("name", ALONE)
def test_objects_that_are_freed_while_a_program_uses_them_are_noticed(name: str) -> None:
    """By poison, which program and marker both see, by a payload that is not its own, or by a finalizer's count."""
    with pytest.raises(Throw, match=r"use after free|heap corrupted|found bad pointer|finalizer ran twice"):
        play(name, Unaudited)


def test_rewire_moves_pointers_between_the_objects_that_were_loaded() -> None:
    """It begins at the data segment; what it drops is freed and what it keeps is not."""
    bench = Bench(Turns, arena=1 << 22, data=4, bss=bsswords(["rewire"]), words=1 << 21)
    nodes = [bench.obj(0, 0) for _ in range(60)]
    for i, node in enumerate(nodes):
        bench.machine.poke(node // WORD, nodes[(2 * i + 1) % 60])
        bench.machine.poke(node // WORD + 1, nodes[(2 * i + 2) % 60])
    for i in range(4):
        bench.machine.poke(bench.world.data.base + i, nodes[15 * i])
    before = [bench.peek(node // WORD + k) for node in nodes for k in (0, 1)]
    (program,) = assign(bench.world, ["rewire"])
    gcm = bench.start(bench.gcm)
    Turns.collect = staticmethod(lambda: gcm.gcwork(0))

    bench.mutators[0].mstart(program.run)

    assert gcm.numgc == 10
    assert [bench.peek(node // WORD + k) for node in nodes for k in (0, 1)] != before


def test_a_program_throws_at_a_payload_that_is_not_its_own(bench: Bench) -> None:
    """The object was freed and is somebody else's now."""
    program = assign(bench.world, ["pushpop"])[0]
    m, p = bench.gcm, bench.obj(0, words=2)
    bench.machine.poke(p // WORD + 1, 7)
    program.expect(m, p, 1, 7)

    with pytest.raises(Throw) as thrown:
        program.expect(m, p, 1, 8)

    assert thrown.value.text == "heap corrupted"
    assert thrown.value.printed == (f"runtime: pushpop object {p:#x} word 1 = 0x7 want 0x8",)


def test_a_finalizer_that_runs_twice_is_noticed(bench: Bench) -> None:
    """The program ticks off what it has made; what is not pending has run already."""
    program = assign(bench.world, ["finalizers"])[0]
    assert isinstance(program, Finalizers)
    m = bench.start(bench.mutators[0])
    frame = m.call(2)
    obj, closure = (bench.obj(bench.leaf(), words=3) for _ in range(2))
    for p in (obj, closure, bench.peek(obj // WORD)):
        bench.machine.poke(p // WORD + NUMBER, 5)
    bench.machine.poke(closure // WORD + TAG, OURS)
    pending = {5: 0}

    m.queuefinalizer(obj, closure)
    program.finalize(m, frame, pending)
    assert pending == {}

    m.queuefinalizer(obj, closure)
    with pytest.raises(Throw, match="finalizer ran twice"):
        program.finalize(m, frame, pending)


def test_a_finalizer_that_never_runs_is_noticed(bench: Bench) -> None:
    """Its object has been dead for more collections than a sweep and a floating object account for."""
    program = assign(bench.world, ["finalizers"])[0]
    assert isinstance(program, Finalizers)
    m = bench.start(bench.mutators[0])
    frame = m.call(2)
    bench.machine.poke(bench.world.runtime + RUNTIME.numgc, program.collections_max)

    program.finalize(m, frame, {5: 0})
    bench.machine.poke(bench.world.runtime + RUNTIME.numgc, program.collections_max + 1)
    with pytest.raises(Throw, match="finalizer never ran"):
        program.finalize(m, frame, {5: 0})


def test_a_loaded_heaps_own_finalizers_are_left_alone(bench: Bench) -> None:
    """A closure without the program's tag is somebody else's: taken off the queue and not judged."""
    program = assign(bench.world, ["finalizers"])[0]
    assert isinstance(program, Finalizers)
    m = bench.start(bench.mutators[0])
    frame = m.call(2)
    foreign = bench.obj(bench.leaf(), words=1)

    for _ in range(2):
        m.queuefinalizer(foreign, foreign)
        program.finalize(m, frame, {})

    assert m.takefinalizer() is None


def test_programs_share_no_global_word() -> None:
    """Each gets as many as it wants, side by side."""
    names = [*PROGRAMS, *PROGRAMS]
    bench = Bench(bss=bsswords(names))
    programs = assign(bench.world, names)
    slots = [program.slot(i) for program in programs for i in range(program.globals)]

    assert [program.name for program in programs] == names
    assert slots == [bench.world.bss.slot(i) for i in range(bsswords(names))]
    assert [(p.rank, p.peers) for p in programs if p.name == "hider"] == [(0, 2), (1, 2)]


def test_channels_come_in_pairs() -> None:
    """An odd one receives from the even one before it, whatever stands between; the last may be left over."""
    names = ["channel", "hider", "channel", "channel"]
    bench = Bench(bss=bsswords(names))
    chans = [program.chan for program in assign(bench.world, names) if isinstance(program, Channel)]

    assert chans[0] == chans[1] != chans[2]
    assert 0 not in chans


def test_a_program_is_something_that_runs(bench: Bench) -> None:
    """The base is not one."""
    with pytest.raises(NotImplementedError):
        Program(bench.world, 0, 0, 1).run(bench.gcm)
    assert len(PROGRAMS) <= MAX_GCPROC
